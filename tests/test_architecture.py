"""The rules that hold everywhere, checked by the tools that know them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = Path(sys.executable).parent
LONGEST_FILE = 500


def passes(*command: str) -> None:
    tool = shutil.which(command[0], path=str(TOOLS))
    assert tool, f"{command[0]} is not installed beside {sys.executable}: run `make test`"
    done = subprocess.run([tool, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def pins(text: str) -> dict[str, str]:
    """Name and version of each `name==version`."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\"]+)", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def test_folders_import_one_way_only_and_stages_stay_pure() -> None:
    passes("lint-imports")


def test_style_is_ruffs() -> None:
    passes("ruff", "check", ".")
    passes("ruff", "format", "--check", ".")


def test_types_hold() -> None:
    passes("mypy")


def test_what_is_installed_is_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = pins((ROOT / "deploy/requirements.txt").read_text())
    assert pins("\n".join(project["dependencies"])).items() <= locked.items(), "run `make lock`"
    locked |= pins((ROOT / "deploy/requirements-dev.txt").read_text())
    for extra in ("train", "test", "lint"):
        asked = pins("\n".join(project["optional-dependencies"][extra]))
        asked.pop("torch", None)  # installed by itself: see deploy/lock.py
        assert asked.items() <= locked.items(), "run `make lock`"


def test_opencv_needs_no_graphics_library() -> None:
    locked = pins((ROOT / "deploy/requirements.txt").read_text())
    assert [name for name in locked if name.startswith("opencv")] == ["opencv-python-headless"]


def test_serving_runs_without_torch() -> None:
    code = "import sys; import streamer.server, streamer.session, clients.cli.serve; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("package", ["streamer", "engines", "export", "clients"])
def test_no_source_file_is_too_long_to_read(package: str) -> None:
    files = [path for kind in ("*.py", "*.js", "*.css") for path in (ROOT / package).rglob(kind)]
    too_long = {str(path.relative_to(ROOT)): n for path in files if (n := len(path.read_text().splitlines())) > LONGEST_FILE}
    assert not too_long
