"""How many repeats the host is asked to bear: a share of what it answers well."""

MOST_REPEATS = 10.0
"""Repeats that are saved up at most, and there at the start."""

SHARE_OF_ANSWERS = 0.1
"""What each good answer adds: in the long term one repeat for ten of them."""


class RetryBudget:
    """Repeats earned by good answers; without any left a failure is final until the next tick."""

    def __init__(self, *, most: float = MOST_REPEATS, share: float = SHARE_OF_ANSWERS) -> None:
        self._most = most
        self._share = share
        self._left = most

    def answered(self) -> None:
        """Earn a part of a repeat."""
        self._left = min(self._left + self._share, self._most)

    def spend(self) -> bool:
        """Take one repeat; return whether there was one."""
        # Ten tenths add up to a little less than one.
        if self._left < 1.0 - 1e-9:
            return False
        self._left = max(self._left - 1.0, 0.0)
        return True
