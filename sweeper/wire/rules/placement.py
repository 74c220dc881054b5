"""Rules about where a training may run."""

from collections.abc import Iterator

from sweeper.wire.issues import Issue
from sweeper.wire.rules.view import Rule, Terms, View, shown


def node_pools_are_distinct(spec: View, terms: Terms) -> Iterator[Issue]:
    """An order of preference names each node pool once."""
    pools = spec.members.get("nodePools")
    seen: set[str] = set()
    for place, pool in enumerate(pools if isinstance(pools, list) else ()):
        if not isinstance(pool, str):
            continue
        path = (*spec.path, "nodePools", place)
        if not pool:
            message = '"" names no node pool: drop it'
            yield Issue(path=path, message=message, severity=terms.inferred)
        elif pool in seen:
            message = f"{shown(pool)} is there already, and the first place counts: drop it"
            yield Issue(path=path, message=message, severity=terms.inferred)
        seen.add(pool)


RULES: tuple[Rule, ...] = (node_pools_are_distinct,)
