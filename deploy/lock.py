"""Writes the pinned packages that `make` installs: every package with its version, what it depends on included.

    make lock

`requirements.txt` is what serving needs, `requirements-dev.txt` what training, a local director, tests and checks need on
top. They are installed without resolving, so that what was tested is what runs, and with two departures from what packages
declare:

- mediapipe asks for opencv-contrib-python and scenedetect for opencv-python, which need libGL and write the same folder as the
  opencv-python-headless that Rostrum uses; the headless one has all that both call.
- torch is installed by itself: its CPU build where one is to be had, else the build of the package index with what that needs.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LEFT_OUT = re.compile(r"^(rostrum|opencv-contrib-python|opencv-python|torch|pip|triton|nvidia-.*|cuda-.*)$")


def resolved(extras: str) -> dict[str, str]:
    """Name and version of everything that the project with these extras needs. Raises CalledProcessError as pip fails."""
    target = f"{HERE.parent}[{extras}]" if extras else str(HERE.parent)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-", target]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    found = {re.sub(r"[-_.]+", "-", p["metadata"]["name"]).lower(): p["metadata"]["version"] for p in report["install"]}
    return {name: version for name, version in sorted(found.items()) if not LEFT_OUT.match(name)}


def write(path: Path, packages: dict[str, str]) -> None:
    lines = ["# Written by `make lock` from pyproject.toml; do not edit.", *(f"{n}=={v}" for n, v in packages.items())]
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    runtime, everything = resolved(""), resolved("train,director,transcript,video,curate,test,lint")
    for name in runtime.keys() & everything.keys():
        if runtime[name] != everything[name]:
            sys.exit(f"{name} is {runtime[name]} for serving and {everything[name]} for tests: pin it in pyproject.toml")
    write(HERE / "requirements.txt", runtime)
    write(HERE / "requirements-dev.txt", {n: v for n, v in everything.items() if n not in runtime})
