"""Rows of results, flat: one value for each column, params by dotted names.

A row is an object as `results --json` prints it, with `trial`, `state`, `params`, `objective`,
`attempts` and what else there is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

Row: TypeAlias = Mapping[str, Any]

PARAMS = "params."
"""What the column of a parameter begins with; a parameter may be called like another column."""


def flat(row: Row) -> dict[str, Any]:
    """Return the row with a column for each parameter in place of `params`.

    Nested params have dotted names, `params.optimizer.lr`; lists stay values.
    """
    columns: dict[str, Any] = {}
    for name, value in row.items():
        if name == "params" and isinstance(value, Mapping):
            columns.update(_leaves(PARAMS, value))
        else:
            columns[name] = value
    return columns


def columns_of(rows: Iterable[Row]) -> Sequence[str]:
    """Return the columns of all `rows`, in the order in which they first appear.

    Those of params stay together, where the params of the first row stand.
    """
    seen: dict[str, None] = {}
    for row in rows:
        seen.update(dict.fromkeys(flat(row)))
    first = next((place for place, name in enumerate(seen) if name.startswith(PARAMS)), 0)
    before = [name for place, name in enumerate(seen) if place < first]
    params = [name for name in seen if name.startswith(PARAMS)]
    return [*before, *params, *(name for name in seen if name not in {*before, *params})]


def _leaves(prefix: str, params: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in params.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(f"{prefix}{name}.", value)
        else:
            yield f"{prefix}{name}", value
