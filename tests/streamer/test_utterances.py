import numpy as np

from streamer.plan import s_from_pts
from streamer.utterances import Utterance, Utterances


def _said(utterances: Utterances, seconds: float, probability: float = 0.9) -> list[Utterance]:
    """Everything that is to be written down within these seconds, looked for every 64 ms."""
    found = []
    for _ in range(round(seconds / 0.064)):
        utterances.push(np.full(2, probability, np.float32))
        while utterance := utterances.next():
            found.append(utterance)
    return found


def _spans(found: list[Utterance]) -> list[tuple[float, float]]:
    return [(round(s_from_pts(each.start), 1), round(s_from_pts(each.end), 1)) for each in found]


def test_an_utterance_is_offered_as_it_grows_and_once_more_when_it_is_over() -> None:
    utterances = Utterances()
    assert _said(utterances, 2, 0.0) == []
    grows = _said(utterances, 2)
    assert len({each.start for each in grows}) == 1 and not any(each.is_over for each in grows)
    assert 3 <= len(grows) <= 4
    (over,) = _said(utterances, 2, 0.0)
    assert over.is_over and over.start == grows[0].start
    (span,) = _spans([over])
    assert span[0] <= 1.8 and 4.0 <= span[1] <= 4.4  # a little of the quiet on both sides


def test_a_breath_does_not_end_an_utterance_and_a_pause_does() -> None:
    utterances = Utterances()
    found = _said(utterances, 1) + _said(utterances, 0.3, 0.1) + _said(utterances, 1) + _said(utterances, 1, 0.1)
    found += _said(utterances, 1) + _said(utterances, 1, 0.1)
    over = [each for each in found if each.is_over]
    assert len(over) == 2
    assert over[0].end <= over[1].start


def test_who_never_pauses_is_cut_where_speech_is_least_likely() -> None:
    utterances = Utterances()
    found = _said(utterances, 8) + _said(utterances, 0.064, 0.5) + _said(utterances, 4)
    over = [each for each in found if each.is_over]
    assert len(over) == 1
    assert abs(s_from_pts(over[0].end) - 8.03) < 0.1
    assert found[-1].start == over[0].end


def test_what_nobody_comes_to_write_down_does_not_pile_up() -> None:
    utterances = Utterances()
    for _ in range(5):
        utterances.push(np.full(30, 0.9, np.float32))
        utterances.push(np.full(30, 0.0, np.float32))
    waiting = []
    while utterance := utterances.next():
        waiting.append(utterance)
    assert len(waiting) == 3 and utterances.dropped == 2
