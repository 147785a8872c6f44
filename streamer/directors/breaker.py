"""A circuit breaker: a model that keeps failing is left alone for a while, longer each time. Time is passed in."""

from __future__ import annotations

_TOLERATED = 3  # failures in a row
_FIRST_S, _LONGEST_S = 2.0, 60.0
_LONGEST_ASKED_S = 300.0  # of what a server asks for itself


class Breaker:
    """Closed, questions pass. Open, none does until `open_until_s`; then one may try, and its outcome decides."""

    def __init__(self) -> None:
        self._failures = 0
        self._rest_s = _FIRST_S
        self._is_trying = False
        self.open_until_s: float | None = None
        self.reason = ""

    def rests_for_s(self, now_s: float) -> float | None:
        """How long no question passes; None where one would."""
        if self.open_until_s is None or (now_s >= self.open_until_s and not self._is_trying):
            return None
        return max(0.0, self.open_until_s - now_s)

    def admit(self, now_s: float) -> bool:
        """Whether a question may be asked now. Each one admitted must be reported back, by one of the three below."""
        if self.open_until_s is None:
            return True
        if now_s < self.open_until_s or self._is_trying:
            return False
        self._is_trying = True
        return True

    def succeed(self) -> None:
        """There was an answer."""
        self._failures, self._rest_s, self._is_trying, self.open_until_s, self.reason = 0, _FIRST_S, False, None, ""

    def withdraw(self) -> None:
        """The question was taken back: nothing is known."""
        self._is_trying = False

    def fail(self, now_s: float, reason: str, *, retry_after_s: float | None = None, is_lasting: bool = False) -> None:
        """There was none. It opens at the third in a row, at once where that is lasting or the server asks for a rest."""
        self._failures += 1
        self.reason = reason
        was_trying, self._is_trying = self._is_trying, False
        if retry_after_s is not None:
            self.open_until_s = now_s + min(retry_after_s, _LONGEST_ASKED_S)
        elif is_lasting:
            self.open_until_s = now_s + _LONGEST_S
        elif was_trying or self._failures >= _TOLERATED:
            self.open_until_s = now_s + self._rest_s
            self._rest_s = min(2 * self._rest_s, _LONGEST_S)
