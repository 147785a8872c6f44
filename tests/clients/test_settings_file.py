"""Settings from a file, the environment and flags, by the flags' own names."""

import argparse
import tomllib
from pathlib import Path

import pytest

from clients.cli.main import main, parser
from clients.cli.settings_file import SettingsError, example, read_settings

EXAMPLE = Path(__file__).parents[2] / "deploy" / "rostrum.toml"


def serve_parser() -> argparse.ArgumentParser:
    root = parser("serve")
    (subparsers,) = (action for action in root._actions if isinstance(action, argparse._SubParsersAction))
    found: argparse.ArgumentParser = subparsers.choices["serve"]
    return found


def read(tmp_path: Path, text: str, **environment: str) -> argparse.Namespace:
    """What `rostrum serve --config` would go by, with no flags."""
    file = tmp_path / "rostrum.toml"
    file.write_text(text)
    known = serve_parser()
    known.set_defaults(**read_settings(known, file, environment))
    return known.parse_args([])


def test_the_shipped_example_names_every_setting_with_its_default() -> None:
    assert EXAMPLE.read_text() == example(serve_parser()), "run: rostrum serve --print-config > deploy/rostrum.toml"
    uncommented = "\n".join(
        line.removeprefix("# ")
        for line in EXAMPLE.read_text().splitlines()
        if " = " in line and line.startswith("# ") and not line.endswith("# not set")
    )
    known, plain = serve_parser(), serve_parser().parse_args([])
    file = tomllib.loads(uncommented)
    assert {"port", "broadcasts", "drain", "director", "language"} <= set(file)
    for key, value in file.items():
        assert getattr(plain, next(a.dest for a in known._actions if f"--{key}" in a.option_strings)) == value


def test_the_environment_wins_over_the_file_and_flags_over_both(tmp_path: Path) -> None:
    file = 'port = 9000\nhost = "0.0.0.0"\nopen = true\nice-server = ["stun:a"]\n[voice]\nlanguage = "fr"\nspeech-url = ""\n'
    settings = read(tmp_path, file, ROSTRUM_SERVE_PORT="9001", ROSTRUM_SERVE_OPEN="no", ROSTRUM_HOME="/somewhere")
    assert (settings.port, settings.host, settings.open, settings.language) == (9001, "0.0.0.0", False, "fr")
    assert settings.ice_server == ["stun:a"]
    known = serve_parser()
    known.set_defaults(**read_settings(known, tmp_path / "rostrum.toml", {"ROSTRUM_SERVE_ICE_SERVER": "stun:b turn:c"}))
    assert known.parse_args(["--port", "9002"]).port == 9002
    assert known.parse_args([]).ice_server == ["stun:b", "turn:c"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("prot = 1", r"prot is no setting; did you mean port\?"),
        ("[director]\nurl = 'x'", "url is no setting"),
        ("zzz = 1", "--print-config"),
        ("port = 'many'", "port: 'many' cannot be used"),
        ("port = [1]", "port: .* is not one value"),
        ("open = 'yes'", "open: 'yes' is not true or false"),
        ("log-level = 'loud'", "log-level: 'loud' is not one of debug, info"),
        ("ice-server = 'stun:a'", "ice-server: 'stun:a' is not a list"),
        ("port = ", "is not TOML"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        read(tmp_path, text)


def test_what_is_wrong_in_the_environment_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="ROSTRUM_SERVE_PROT is no setting; did you mean ROSTRUM_SERVE_PORT"):
        read(tmp_path, "", ROSTRUM_SERVE_PROT="1")
    with pytest.raises(SettingsError, match="ROSTRUM_SERVE_OPEN: 'maybe' is not true or false"):
        read(tmp_path, "", ROSTRUM_SERVE_OPEN="maybe")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--config", "/nowhere/rostrum.toml"], "cannot be read"),
        (["--tls-cert", "/nowhere/cert.pem"], "belong together"),
        (["--tls-cert", "/nowhere/cert.pem", "--tls-key", "/nowhere/key.pem"], "there is no file /nowhere/cert.pem"),
        (["--tls-cert", __file__, "--tls-key", __file__], "must be PEM"),
        (["--speech-url", "http://127.0.0.1/v1"], "speech-model"),
    ],
)
def test_a_server_that_could_not_serve_does_not_start(
    capsys: pytest.CaptureFixture[str], words: list[str], complaint: str
) -> None:
    try:
        status = main(["serve", *words])
    except SystemExit as leaving:
        status = int(str(leaving.code))
    assert status == 2
    assert complaint in capsys.readouterr().err
