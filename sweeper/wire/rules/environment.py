"""Rules about the container's environment."""

from collections.abc import Iterator

from sweeper.wire.issues import Issue
from sweeper.wire.rules.view import Rule, Terms, View, standing

_REFERENCES = ("secret", "configMap", "podFieldRef")


def one_source(spec: View, terms: Terms) -> Iterator[Issue]:
    """A variable has its value from one source."""
    for variable in standing(spec, "environmentVariables[]"):
        references = [key for key in _REFERENCES if variable.has(key)]
        if variable.has("value") and references:
            message = f"excludes {' and '.join(references)}: keep one source"
            yield variable.error("value", message)
        for key in references[1:]:
            message = f"is a second source beside {references[0]}: keep one"
            yield variable.issue(key, message, terms.inferred)


def some_source(spec: View, terms: Terms) -> Iterator[Issue]:
    """A variable without a source is probably a slip."""
    for variable in standing(spec, "environmentVariables[]") if terms.is_client else ():
        if not any(variable.has(key) for key in ("value", *_REFERENCES)):
            message = 'is not given, nor is any other source: give it, or "" for an empty one'
            yield variable.warning("value", message)


RULES: tuple[Rule, ...] = (one_source, some_source)
