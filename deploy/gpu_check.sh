#!/bin/sh
# Verify and time video transformers on this machine's GPU: one command, under ten minutes; run again, it goes on where it stopped.
#
#   sh deploy/gpu_check.sh                 true sizes, random weights; results in gpu_check/results.json
#   sh deploy/gpu_check.sh --dry           toy sizes, anywhere
#   sh deploy/gpu_check.sh --out deploy/gpu_results/h200.json
#
# PYTHON: an interpreter whose environment has Rostrum with [video,train] and diffusers (default: .venv/bin/python, else python3).
# Exit status: 0 done, 3 more to do (run it again), 1 it said why not.
set -e
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)}
exec "$PYTHON" -m clients.bench.gpu "$@"
