"""Rules about ports and URLs."""

from collections.abc import Iterator

from sweeper.wire.issues import Issue
from sweeper.wire.rules.view import Rule, Terms, View, shown, standing

_OPEN_PORTS = (("ports[]", "external"), ("exposedUrls[]", "container"))
_FIXED = (("ports[]", "external"), ("exposedUrls[]", "url"))


def users_or_groups(spec: View, _terms: Terms) -> Iterator[Issue]:
    """A URL is open to named users or to named groups, never both."""
    for url in standing(spec, "exposedUrls[]"):
        if url.members.get("authorizedUsers") and url.members.get("authorizedGroups"):
            message = "does not go with authorizedUsers: keep one of them"
            yield url.error("authorizedGroups", message)


def port_ranges(spec: View, terms: Terms) -> Iterator[Issue]:
    """A port is a port, also where the schema sets no range."""
    for place, key in _OPEN_PORTS:
        for item in standing(spec, place):
            port = item.whole(key)
            if port is not None and not 1 <= port <= 65535:
                message = f"{shown(port)} is no port: give one of 1 to 65535"
                yield item.issue(key, message, terms.inferred)


def fixed_addresses(spec: View, terms: Terms) -> Iterator[Issue]:
    """What can be taken only once does not serve trials that run side by side."""
    for place, key in _FIXED if terms.is_client else ():
        for item in standing(spec, place):
            if item.has(key):
                message = "is the same for every trial, and only one can have it: leave it out"
                yield item.warning(key, message, shared=True)


RULES: tuple[Rule, ...] = (users_or_groups, port_ranges, fixed_addresses)
