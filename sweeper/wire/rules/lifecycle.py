"""Rules about how a training ends, and how often it is tried."""

from collections.abc import Iterator

from sweeper.wire.issues import Issue
from sweeper.wire.rules.view import Rule, Terms, View, shown

_LEAST = {
    "autoDeletionTimeAfterCompletionSeconds": 0,
    "backoffLimit": 0,
    "completions": 1,
    "parallelism": 1,
}


def counts_make_sense(spec: View, terms: Terms) -> Iterator[Issue]:
    """Counts have a least value, although the schema sets none."""
    for key, least in _LEAST.items():
        value = spec.whole(key)
        if value is not None and value < least:
            message = f"{shown(value)} is below {least}: give at least {least}, or leave it out"
            yield spec.issue(key, message, terms.inferred)


def grace_leaves_time(spec: View, terms: Terms) -> Iterator[Issue]:
    """A training that is stopped gets time for a last checkpoint."""
    key = "terminationGracePeriodSeconds"
    if terms.is_client and spec.whole(key) == 0:
        message = "0 kills the training at once, with no time for a last checkpoint: give seconds"
        yield spec.warning(key, message)


def priority_is_for_trainings(spec: View, terms: Terms) -> Iterator[Issue]:
    """One of the priority classes is described for workspaces only."""
    if terms.is_client and spec.text("priorityClass") == "interactive-preemptible":
        message = "interactive-preemptible is meant for workspaces: write train or build"
        yield spec.warning("priorityClass", message)


RULES: tuple[Rule, ...] = (counts_make_sense, grace_leaves_time, priority_is_for_trainings)
