"""Checking a create as a whole: the contract's shapes, and all rules beyond them."""

from sweeper.domain.values import JsonValue
from sweeper.wire.issues import Issue
from sweeper.wire.rules.view import Terms

MAX_ISSUES = 100
"""The most issues that one check returns; a last one then says how many more there are."""


def check_creation(body: JsonValue, terms: Terms) -> list[Issue]:
    """Return all that is wrong with the body of a create, or worth knowing, ordered by path.

    A create may go ahead when no issue is an error. Paths lead to their places as `Issue` says:
    below the spec, or the name of what stands beside it. Any JSON value has an answer: this
    never raises, and returns at most `MAX_ISSUES` issues and one more. No message holds a value
    of an environment variable.
    """
    raise NotImplementedError


def check_spec(spec: JsonValue, terms: Terms) -> list[Issue]:
    """Return what `check_creation` would say about a spec alone."""
    raise NotImplementedError
