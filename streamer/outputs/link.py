"""Whether a peer's link carries what it is sent, from its RTCP receiver reports. Times in seconds, passed in."""

from __future__ import annotations

_SMOOTHING = 0.25
_BAD, _GOOD = 0.08, 0.02  # of the packets lost
_FIRST_TRIAL_S, _LONGEST_TRIAL_S = 10.0, 120.0


class Link:
    """Strained while too much is lost. Relieved after a while without loss; each relapse makes that while twice as long."""

    def __init__(self) -> None:
        self._lost = 0.0
        self._is_strained = False
        self._good_since_s: float | None = None
        self._trial_s = _FIRST_TRIAL_S

    def note(self, lost: float, now_s: float) -> bool:
        """A report: the fraction lost since the one before it. Whether the link is strained."""
        self._lost += _SMOOTHING * (lost - self._lost)
        if self._is_strained:
            if self._lost > _GOOD:
                self._good_since_s = None
            elif self._good_since_s is None:
                self._good_since_s = now_s
            elif now_s - self._good_since_s >= self._trial_s:
                self._is_strained, self._good_since_s = False, None
                self._trial_s = min(2 * self._trial_s, _LONGEST_TRIAL_S)
        elif self._lost > _BAD:
            self._is_strained = True
        return self._is_strained
