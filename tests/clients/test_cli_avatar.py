"""`rostrum avatar`, as typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from clients.cli.main import main
from tests.engines.portrait_pictures import PHOTO_PATH


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ROSTRUM_HOME", str(tmp_path))
    return tmp_path


def test_an_avatar_is_made_listed_and_removed(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["avatar", "create", str(PHOTO_PATH), "--name", "zoe", "--title", "Zoe", "--json"]) == 0
    said = capfd.readouterr()
    assert said.err == ""  # none of the native libraries' own notices
    made = json.loads(said.out)
    assert made["name"] == "zoe"
    assert Path(made["folder"]) == home / "avatars" / "zoe"

    assert main(["avatar", "list", "--json"]) == 0
    assert {"name": "zoe", "title": "Zoe", "shipped": False}.items() <= json.loads(capfd.readouterr().out)[-1].items()
    assert main(["avatar", "list"]) == 0
    assert "Zoe" in capfd.readouterr().out

    assert main(["avatar", "remove", "zoe"]) == 0
    assert not (home / "avatars" / "zoe").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["create", "nowhere.jpg", "--name", "zoe"], "nowhere.jpg"),
        (["create", __file__, "--name", "zoe"], "not a picture"),
        (["create", str(PHOTO_PATH), "--name", "../zoe"], "cannot name an avatar"),
        (["create", str(PHOTO_PATH), "--name", "zoe", "--points", __file__], "not JSON"),
        (["remove", "nobody"], "nobody"),
    ],
)
def test_what_cannot_be_done_is_said_on_one_line(words: list[str], says: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["avatar", *words]) == 1
    said = capfd.readouterr()
    assert says in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


def test_errors_are_json_when_asked(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["avatar", "create", "nowhere.jpg", "--name", "zoe", "--json"]) == 1
    assert json.loads(capfd.readouterr().out)["error"] == "not_a_picture"


def test_a_wrong_command_shows_the_right_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["avatars"])
    assert stop.value.code == 2
    assert "avatar" in capsys.readouterr().err


def test_help_imports_no_model_code() -> None:
    script = "import sys; from clients.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    script += "print([m for m in ('cv2', 'mediapipe', 'onnxruntime', 'torch', 'av') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("[]")
    assert all(command in done.stdout for command in ("avatar", "serve", "render", "bench"))
