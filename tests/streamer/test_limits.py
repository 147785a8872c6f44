"""Token buckets: a burst, then a rate, and a table that does not grow."""

from hypothesis import given
from hypothesis import strategies as st

from streamer.limits import Bucket, Limiter, Rate


def test_a_burst_is_taken_at_once_and_the_rest_at_the_rate() -> None:
    bucket = Bucket(Rate(burst=3, per_s=2), now_s=0)
    assert [bucket.take(0.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert bucket.take(0.25) == 0.25
    assert bucket.take(0.5) == 0
    assert bucket.take(100) == 0


@given(st.lists(st.floats(0, 5), min_size=1, max_size=60), st.integers(1, 9), st.floats(0.1, 9))
def test_nobody_ever_gets_more_than_the_burst_and_the_rate(pauses: list[float], burst: int, per_s: float) -> None:
    bucket, now, taken = Bucket(Rate(burst, per_s), 0.0), 0.0, 0
    for pause in pauses:
        now += pause
        taken += bucket.take(now) == 0
    assert taken <= burst + per_s * now + 1e-6


def test_one_visitor_does_not_use_up_anothers_allowance() -> None:
    limiter = Limiter(Rate(1, 0.1))
    assert limiter.take("a", 0) == 0
    assert limiter.take("a", 0) > 0
    assert limiter.take("b", 0) == 0


def test_the_table_forgets_who_came_longest_ago() -> None:
    limiter = Limiter(Rate(1, 0.001), most_keys=3)
    for visitor in "abcd":
        limiter.take(visitor, 0)
    assert len(limiter) == 3
    assert limiter.take("d", 0) > 0
    assert limiter.take("a", 0) == 0
