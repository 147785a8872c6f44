"""Keys and tokens: what each opens, and what it does not."""

import hmac
import stat
from pathlib import Path

import pytest

from streamer import access
from streamer.access import ROLES, Access, may
from streamer.config import ConfigError

KEY = "a-key-of-some-length"


def test_each_token_gives_its_role_in_its_broadcast_alone() -> None:
    keeper = Access(KEY)
    for role in ROLES[1:]:
        token = keeper.token(role, "show")
        assert token and keeper.role(token, "show") == role
        assert keeper.role(token, "another") is None
        assert keeper.role(token) is None
    assert keeper.role(KEY) == keeper.role(KEY, "show") == "studio"
    assert len({keeper.token(role, name) for role in ROLES[1:] for name in ("a", "b")}) == 6


@pytest.mark.parametrize("shown", [None, "", "x", KEY[:-1], KEY + "x", KEY.upper(), "é"])
def test_what_is_wrong_gives_nothing(shown: str | None) -> None:
    assert Access(KEY).role(shown, "show") is None


def test_tokens_outlive_a_restart_and_die_with_the_key() -> None:
    assert Access(KEY).token("host", "show") == Access(KEY).token("host", "show")
    assert Access(KEY + "2").role(Access(KEY).token("host", "show"), "show") is None


def test_a_role_may_do_what_those_below_it_may() -> None:
    assert [[may(role, wanted) for wanted in ROLES] for role in ROLES] == [
        [True, True, True, True],
        [False, True, True, True],
        [False, False, True, True],
        [False, False, False, True],
    ]
    assert not may(None, "viewer")


def test_open_asks_nobody_and_public_asks_no_viewer() -> None:
    assert Access(None).role(None, "show") == "studio"
    assert Access(None).token("viewer", "show") is None
    public = Access(KEY, public=True)
    assert public.role(None, "show") == "viewer"
    assert public.role(None) is None
    assert public.token("viewer", "show") is None
    assert public.role(public.token("host", "show"), "show") == "host"


def test_every_comparison_takes_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append(b) or real(a, b))
    Access(KEY).role("guess", "show")
    Access(KEY).role(KEY, "show")
    assert len(compared) == 2 * len(ROLES)  # a right guess is not told from a wrong one by how many were tried


def test_a_key_is_made_once_and_is_its_owners_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSTRUM_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ROSTRUM_KEY", raising=False)
    key = access.own_key()
    assert access.own_key() == key and len(key) >= 32
    assert stat.S_IMODE(access.key_file().stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["key"]
    assert access.kept_key("127.0.0.1") == access.kept_key("localhost") == key
    assert access.kept_key("studio.example") is None  # it is never sent to another machine


@pytest.mark.parametrize("key", ["short", "with spaces in it, and long", "x" * 300])
def test_a_key_that_cannot_be_one_is_named(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSTRUM_KEY", key)
    with pytest.raises(ConfigError, match="ROSTRUM_KEY"):
        access.own_key()


def test_an_empty_key_file_is_not_taken_for_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSTRUM_HOME", str(tmp_path))
    (tmp_path / "key").touch()
    with pytest.raises(ConfigError):
        access.own_key()
