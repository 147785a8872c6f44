"""Good, Same, Bad: votes to ratios."""

import pytest

from export.evaluate.preference import majority, preference


@pytest.mark.parametrize(
    ("answers", "one"), [("G", "G"), ("GGB", "G"), ("GB", "S"), ("GSB", "S"), ("BBSG", "B"), ("GGSS", "S")]
)
def test_raters_of_a_pair_count_as_one_and_even_votes_as_same(answers: str, one: str) -> None:
    assert majority(answers) == one


def test_the_ratio_and_its_interval() -> None:
    found = preference("G" * 60 + "S" * 25 + "B" * 15)
    assert found is not None
    assert (found.good, found.same, found.bad, found.num) == (60, 25, 15, 100)
    assert found.ratio == pytest.approx(85 / 40)
    assert 1.5 < found.low < found.ratio < found.high < 3.0
    swapped = preference("B" * 60 + "S" * 25 + "G" * 15)
    assert swapped is not None and swapped.low == pytest.approx(1 / found.high, rel=0.03)


def test_a_few_votes_that_agree_prove_little() -> None:
    found = preference("GGG")
    assert found is not None and found.ratio == float("inf") and found.low < 2 and str(found).startswith("∞ [")
    assert preference("") is None
