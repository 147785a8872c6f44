# make serve   makes the environment and serves on http://127.0.0.1:8080
# make test    makes the environment, Chromium included where it may be installed, and runs every test
# make lint    the checks of style, types and imports alone
# make lock    pins again what pyproject.toml asks for
# make clean   removes the environment and every cache
#
# PYTHON=python3.12 chooses the interpreter (3.11 or newer), HOST and PORT where to serve, TORCH another build of torch,
# ARGS what is passed on: make test ARGS="tests/streamer -x", make serve ARGS="--help".

NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13; do $$p $(NEW_ENOUGH) 2>/dev/null && echo $$p && break; done)
VENV   ?= .venv
HOST   ?= 127.0.0.1
PORT   ?= 8080
TORCH  ?= torch==2.13.0
# Tests to whom it is all one what else runs: two at a time, of one thread each, or torch's would wait for each other.
# The others serve, draw and listen in real time.
REPEATABLE := tests/engines tests/export tests/deploy tests/test_architecture.py tests/streamer/directors \
	tests/streamer/test_video_worker.py tests/streamer/test_offline.py tests/clients/test_cli_evaluate.py \
	tests/clients/bench/test_gpu_check.py
RTX    ?= $(addsuffix ==1.7.1.116,tensorrt-rtx-cu13 tensorrt-rtx-cu13-libs tensorrt-rtx-cu13-bindings)
ARGS   ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help serve test lint lock clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

serve: $(VENV)/.runtime
	$(BIN)/rostrum serve --host $(HOST) --port $(PORT) $(ARGS)

test: $(VENV)/.dev
	@sh deploy/system-packages.sh chromium
	@sh deploy/system-packages.sh outputs
ifdef ARGS
	$(BIN)/python -m pytest $(ARGS)
else
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile $(REPEATABLE)
	$(BIN)/python -m pytest $(addprefix --ignore=,$(REPEATABLE))
endif

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: $(BIN)/python
	$(BIN)/python deploy/lock.py

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(or $(PYTHON),false) $(NEW_ENOUGH) || { echo "Rostrum needs Python 3.11 or newer; name one with PYTHON=python3.x" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || sh deploy/system-packages.sh venv
	$(PYTHON) -m venv $(VENV)

# Everything is pinned, so nothing is resolved: deploy/lock.py says why.
$(VENV)/.runtime: pyproject.toml deploy/requirements.txt | $(BIN)/python
	@sh deploy/system-packages.sh gl
	@sh deploy/system-packages.sh voice
	$(PIP) install --no-deps -r deploy/requirements.txt
	$(PIP) install --no-deps -e .
	@touch $@

# TensorRT-RTX builds engines without a GPU, where there is a wheel of it (Linux and Windows on x86-64).
# torch: the CPU build where there is one, which needs nothing else; otherwise whatever the index has, with what that needs.
$(VENV)/.dev: deploy/requirements-dev.txt $(VENV)/.runtime
	$(PIP) install --no-deps -r deploy/requirements-dev.txt
	$(BIN)/python -c 'import torch' 2>/dev/null || $(PIP) install --no-deps "$(TORCH)+cpu" || $(PIP) install "$(TORCH)"
	$(PIP) install --no-deps $(RTX) || echo "TensorRT-RTX is not to be had here: its tests will be skipped"
	@touch $@
