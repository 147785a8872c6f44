from itertools import pairwise

from streamer.captions import SpokenWord, lines, webvtt
from streamer.plan import pts_from_s


def _words(text: str, start_s: float = 0.0, each_s: float = 0.3) -> list[SpokenWord]:
    pieces = text.split(" ")
    return [
        SpokenWord(f" {word}", pts_from_s(start_s + i * each_s), pts_from_s(start_s + (i + 1) * each_s))
        for i, word in enumerate(pieces)
    ]


def test_a_line_ends_with_a_sentence_at_a_pause_and_where_it_is_long_enough() -> None:
    told = lines(_words("Good evening. I am Anna") + _words("and this", 5.0) + _words("word " * 20 + "end", 10.0, 0.1))
    assert [line.text for line in told[:3]] == ["Good evening.", "I am Anna", "and this"]
    assert all(len(line.text) <= 64 for line in told[3:]) and len(told) > 4
    assert all(a.end <= b.start for a, b in pairwise(told))


def test_chinese_is_written_without_spaces_and_counts_double() -> None:
    words = [SpokenWord("欢迎大家", pts_from_s(i * 0.4), pts_from_s(i * 0.4 + 0.4)) for i in range(10)]
    told = lines(words)
    assert [len(line.text) for line in told] == [32, 8]


def test_webvtt_is_as_players_read_it() -> None:
    text = webvtt(lines(_words("Salt & <pepper>.", 3_661.0)))
    assert text == "WEBVTT\n\n01:01:01.000 --> 01:01:01.900\nSalt &amp; &lt;pepper&gt;.\n"
    assert webvtt([]) == "WEBVTT\n"
