"""Settings: what is refused says what to write instead."""

from pathlib import Path

import pytest

from streamer.config import BroadcastSettings, ConfigError, DirectorSettings, parse_bitrate, parse_size


@pytest.mark.parametrize(("text", "size"), [("512x512", (512, 512)), ("512", (512, 512)), ("1920X1080", (1920, 1080))])
def test_sizes_are_read(text: str, size: tuple[int, int]) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "says"), [("big", "512x512"), ("20000x20000", "1920"), ("511x512", "512x512"), ("64x64", "128")]
)
def test_a_size_that_cannot_be_is_refused_with_one_that_can(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "kbps"), [("2500", 2500), ("2500k", 2500), ("2.5M", 2500), (" 800K ", 800), ("auto", None), ("20m", 20_000)]
)
def test_bitrates_are_read(text: str, kbps: int | None) -> None:
    assert parse_bitrate(text) == kbps


@pytest.mark.parametrize("text", ["fast", "-1", "0", "100k", "21M", "nan", "1e9", ""])
def test_a_bitrate_that_cannot_be_is_refused_by_name_with_what_can(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^bitrate: .*(2500k|150k to 20M)"):
        parse_bitrate(text)


@pytest.mark.parametrize(
    ("setting", "value"), [("fps", 29), ("segment_s", 9.0), ("width", 513), ("background", "beach"), ("kbps", 9)]
)
def test_a_setting_out_of_range_is_named(setting: str, value: float | str) -> None:
    with pytest.raises(ConfigError, match={"width": "size", "kbps": "bitrate"}.get(setting, setting)):
        BroadcastSettings("anna", **{setting: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"backend": "openai", "model": "m"}, r"director-url.*http://127\.0\.0\.1:8000/v1"),
        ({"backend": "openai", "model": "m", "url": "localhost:8000"}, "director-url"),
        ({"backend": "openai", "url": "http://127.0.0.1:1/v1"}, "director-model"),
        ({"backend": "transformers"}, "director-path"),
        ({"backend": "transformers", "path": Path("/nowhere")}, "director-path: /nowhere is not a checkpoint"),
        ({"soft_s": 9.0, "hard_s": 8.0}, "director-deadlines"),
        ({"listen_every_s": 0.0}, "director-listen"),
    ],
)
def test_a_director_that_cannot_work_says_which_option_is_wrong(setting: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        DirectorSettings(**setting)  # type: ignore[arg-type]


def test_a_key_comes_from_the_environment_and_stays_out_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIRECTOR_KEY", raising=False)
    with pytest.raises(ConfigError, match="DIRECTOR_KEY is not set"):
        DirectorSettings("openai", "http://127.0.0.1:1/v1", "m", key_env="DIRECTOR_KEY")
    monkeypatch.setenv("DIRECTOR_KEY", " sk-secret\n")
    settings = DirectorSettings("openai", "http://127.0.0.1:1/v1", "m", key_env="DIRECTOR_KEY")
    assert settings.key() == "sk-secret"
    assert "secret" not in repr(settings)
