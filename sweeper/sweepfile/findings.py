"""Collects what is wrong with a sweep file, and what is worth knowing about it."""

import difflib
from collections.abc import Iterable

from sweeper.errors import Fault
from sweeper.sweepfile.places import Node, Notice, Path, Place, dotted, place_of

MAX_FAULTS = 200
"""Reading ends after so many faults: a file that breaks one rule everywhere is not worth more."""

_LONGEST_KEY = 60
_MOST_SUGGESTIONS = 200


class TooManyFaults(Exception):  # noqa: N818 - no error of the user's, only the way out
    """`MAX_FAULTS` were found."""


class Findings:
    """The faults, violations and warnings of one file, each put at its place."""

    def __init__(self, root: Node) -> None:
        self.root = root
        self._faults: dict[tuple[Place, str], Fault] = {}
        self._violations: list[Notice] = []
        self._warnings: list[Notice] = []
        self._suggestions = 0

    def fault(self, path: Path, message: str, *, key: bool = False) -> None:
        """Add a fault of the value at `path`, or of its key; only the first one of a value counts.

        Raises:
            TooManyFaults: there are `MAX_FAULTS` now.
        """
        place, text = place_of(self.root, path, key=key), dotted(path)
        self.add(Fault(line=place.line, column=place.column, path=text, message=message))

    def add(self, fault: Fault) -> None:
        """Add a fault whose place is known; raises as `fault` does."""
        self._faults.setdefault((Place(fault.line, fault.column), fault.path), fault)
        if len(self._faults) >= MAX_FAULTS:
            raise TooManyFaults

    def violation(self, path: Path, message: str, *, key: bool = False) -> None:
        """Add something that W&B would complain about."""
        self._violations.append(self._notice(path, message, key=key))

    def warning(self, path: Path, message: str, *, key: bool = False) -> None:
        """Add something that sweeper has to say."""
        self._warnings.append(self._notice(path, message, key=key))

    def note(self, notices: Iterable[Notice]) -> None:
        """Add warnings whose places are known."""
        self._warnings.extend(notices)

    def nearest(self, key: str, known: Iterable[str]) -> str | None:
        """Return the one of `known` that `key` resembles, None when it resembles none.

        A file full of unknown keys gets no more suggestions after a while.
        """
        self._suggestions += 1
        if len(key) > _LONGEST_KEY or self._suggestions > _MOST_SUGGESTIONS:
            return None
        by_folded = {each.casefold(): each for each in known}
        found = difflib.get_close_matches(key.casefold(), by_folded, n=1, cutoff=0.7)
        return by_folded[found[0]] if found else None

    @property
    def faults(self) -> list[Fault]:
        """All faults in the file's order."""
        return sorted(self._faults.values(), key=lambda each: (each.line, each.column))

    @property
    def violations(self) -> tuple[Notice, ...]:
        """All violations in the file's order."""
        return _in_order(self._violations)

    @property
    def warnings(self) -> tuple[Notice, ...]:
        """All warnings in the file's order."""
        return _in_order(self._warnings)

    def has_faults(self, path: Path) -> bool:
        """Return whether a fault was found at `path` or below it."""
        text = dotted(path)
        return any(
            fault.path == text or fault.path.startswith((f"{text}.", f"{text}["))
            for fault in self._faults.values()
        )

    def _notice(self, path: Path, message: str, *, key: bool) -> Notice:
        place = place_of(self.root, path, key=key)
        return Notice(line=place.line, column=place.column, path=dotted(path), message=message)


def _in_order(notices: Iterable[Notice]) -> tuple[Notice, ...]:
    return tuple(sorted(notices, key=lambda each: (each.line, each.column)))
