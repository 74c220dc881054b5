"""Checking a create as a whole: the contract's shapes, and all rules beyond them."""

import re
from collections.abc import Iterable, Iterator, Mapping

from sweeper.domain.values import JsonValue, plain
from sweeper.wire.issues import Issue, Severity, in_order
from sweeper.wire.reading import MAX_DEPTH, is_too_deep
from sweeper.wire.rules import (
    compute,
    connectivity,
    container,
    environment,
    lifecycle,
    mandatory,
    metadata,
    placement,
    security,
    storage,
    uniqueness,
)
from sweeper.wire.rules.view import Rule, Terms, View, shown
from sweeper.wire.shapes import shape_issues
from sweeper.wire.training import TrainingCreationRequest, TrainingSpec

MAX_ISSUES = 100
"""The most issues that one check returns; a last one then says that there are more."""

RULES: tuple[Rule, ...] = (
    *mandatory.RULES,
    *uniqueness.RULES,
    *container.RULES,
    *environment.RULES,
    *metadata.RULES,
    *placement.RULES,
    *compute.RULES,
    *connectivity.RULES,
    *lifecycle.RULES,
    *storage.RULES,
    *security.RULES,
)
"""Every rule about a spec."""

_MAX_NAME = 63
_NAME = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")


def check_creation(body: JsonValue, terms: Terms) -> list[Issue]:
    """Return all that is wrong with the body of a create, or worth knowing, ordered by path.

    A create may go ahead when no issue is an error. Paths lead to their places as `Issue` says:
    below the spec, or the name of what stands beside it. Any JSON value has an answer: this
    never raises, and returns at most `MAX_ISSUES` issues and one more. No message holds a value
    of an environment variable.
    """
    if is_too_deep(body):
        return [_too_deep()]
    members = plain(body)
    if not isinstance(members, dict):
        message = f"{shown(members)} is no object: send one with name, projectId, clusterId, spec"
        return [Issue(path=(), message=message)]
    spec = members.pop("spec", None)
    return _listed([*_beside(members, terms), *_within(spec, terms)])


def check_spec(spec: JsonValue, terms: Terms) -> list[Issue]:
    """Return what `check_creation` would say about a spec alone."""
    if is_too_deep(spec):
        return [_too_deep()]
    return _listed(_within(plain(spec), terms))


def check_name(name: str) -> str:
    """Return what is wrong with the name of a training by the product's own rules, "" if nothing.

    These rules are known from its messages; the contract says only that a name is not empty.
    """
    if len(name) > _MAX_NAME:
        return f"{shown(name)} has {len(name)} characters: shorten it to {_MAX_NAME}"
    if not _NAME.fullmatch(name):
        remedy = "use lowercase letters, digits and -, first a letter and last no -"
        return f"{shown(name)} is no name for a training: {remedy}"
    return ""


def _beside(members: Mapping[str, JsonValue], terms: Terms) -> Iterator[Issue]:
    """Yield what is wrong with what stands beside the spec."""
    yield from shape_issues(TrainingCreationRequest, members, terms)
    body = View(members)
    name = body.text("name")
    fault = check_name(name) if name and terms.wants_names else ""
    if fault:
        yield body.error("name", fault)
    if not terms.is_client:
        return
    if body.is_on("useGivenNameAsPrefix"):
        message = "true leaves no name to find the training by: leave it out"
        yield body.error("useGivenNameAsPrefix", message)
    if body.text("projectId") == "":
        yield body.error("projectId", '"" is no project: give its id')


def _within(spec: JsonValue, terms: Terms) -> Iterator[Issue]:
    """Yield what is wrong with a spec; none at all is none only to who receives it."""
    if spec is None:
        if terms.is_client:
            yield Issue(path=(), message="spec is missing, and nothing runs without it: give it")
        return
    yield from shape_issues(TrainingSpec, spec, terms)
    if isinstance(spec, Mapping):
        view = View(spec)
        for rule in RULES:
            yield from rule(view, terms)


def _listed(issues: Iterable[Issue]) -> list[Issue]:
    """Return the issues ordered by path; of too many, errors before warnings."""
    errors: list[Issue] = []
    warnings: list[Issue] = []
    for one in issues:
        (errors if one.severity is Severity.ERROR else warnings).append(one)
        if len(errors) > MAX_ISSUES:
            # Whoever sends a hundred thousand faults gets no hundred thousand messages.
            break
    kept = [*errors, *warnings][:MAX_ISSUES]
    ordered = sorted(kept, key=lambda one: (in_order(one.path), one.severity, one.message))
    if len(errors) + len(warnings) <= MAX_ISSUES:
        return ordered
    severity = Severity.ERROR if len(errors) > MAX_ISSUES else Severity.WARNING
    message = f"there are more than {MAX_ISSUES} issues: mend these first"
    return [*ordered, Issue(path=(), message=message, severity=severity)]


def _too_deep() -> Issue:
    return Issue(path=(), message=f"is nested deeper than {MAX_DEPTH} levels: flatten it")
