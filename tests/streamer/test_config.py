"""Settings: what is refused says what to write instead."""

import pytest

from streamer.config import BroadcastSettings, ConfigError, parse_size


@pytest.mark.parametrize(("text", "size"), [("512x512", (512, 512)), ("512", (512, 512)), ("1920X1080", (1920, 1080))])
def test_sizes_are_read(text: str, size: tuple[int, int]) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "says"), [("big", "512x512"), ("20000x20000", "1920"), ("511x512", "512x512"), ("64x64", "128")]
)
def test_a_size_that_cannot_be_is_refused_with_one_that_can(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parse_size(text)


@pytest.mark.parametrize(("setting", "value"), [("fps", 29), ("segment_s", 9.0), ("width", 513)])
def test_a_setting_out_of_range_is_named(setting: str, value: float) -> None:
    with pytest.raises(ConfigError, match="size" if setting == "width" else setting):
        BroadcastSettings("anna", **{setting: value})  # type: ignore[arg-type]
