"""How many calls at once: fewer while the host is overloaded, one more for each good round."""

from sweeper.runai.rate import CUT


class Slots:
    """Up to `most` slots, of which as many may be taken as the host bears."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._allowed = float(most)
        self._taken = 0

    @property
    def allowed(self) -> int:
        """How many calls may be under way at once."""
        return int(self._allowed)

    @property
    def has_free(self) -> bool:
        """Whether one more call may begin."""
        return self._taken < self.allowed

    def take(self) -> None:
        """Begin a call."""
        self._taken += 1

    def free(self) -> None:
        """End a call."""
        self._taken -= 1

    def cut(self) -> None:
        """Allow fewer, though never none; calls under way are left to end."""
        self._allowed = max(self._allowed * CUT, 1.0)

    def restart(self) -> None:
        """Begin again with one."""
        self._allowed = 1.0

    def answered(self) -> None:
        """Allow one more for as many good answers as may be under way."""
        self._allowed = min(self._allowed + 1 / self._allowed, self._most)
