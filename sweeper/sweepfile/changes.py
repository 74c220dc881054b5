"""What may change in a sweep file once its sweep has started, and what did."""

from collections.abc import Mapping

from sweeper.domain.values import JsonValue


def difference(old: Mapping[str, JsonValue], new: Mapping[str, JsonValue]) -> list[str]:
    """Return one line for each change between two definitions that a started sweep forbids.

    A line reads `parameters.lr.max: 0.1 -> 0.2`. What may change freely is left out.
    """
    raise NotImplementedError
