"""Text cut into what is said in one breath."""

import pytest

from streamer.speech.text import LONGEST, language_of, sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello. How are you? Fine!", ["Hello.", "How are you?", "Fine!"]),
        ("It costs 3.50, or v1.2 does.", ["It costs 3.50, or v1.2 does."]),
        ("你好！今天天气很好。再见", ["你好！", "今天天气很好。", "再见"]),
        ("He said “stop.” Then he left…", ["He said “stop.”", "Then he left…"]),
        ("first line\nsecond line", ["first line", "second line"]),
        ("  ... \n !! ", []),
        ("", []),
    ],
)
def test_sentences_keep_their_punctuation_and_none_is_empty(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_sentence_without_end_is_cut_at_commas_and_spaces_and_nothing_is_lost() -> None:
    text = ", ".join(["so many words and more"] * 60) + " " + "x" * 600
    pieces = sentences(text)
    assert max(map(len, pieces)) <= LONGEST
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    ("text", "language"),
    [("hello", None), ("こんにちは世界", "ja"), ("世界", "cmn"), ("안녕", "ko"), ("привет", "ru"), ("Ελλάδα", "el")],
)
def test_letters_tell_the_language(text: str, language: str | None) -> None:
    assert language_of(text) == language
