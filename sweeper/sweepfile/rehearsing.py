"""Renders the first trial before anything is sent, and says what would not come through."""

import re
from collections.abc import Iterator

from sweeper.domain.expansion import Expansion, slug
from sweeper.domain.parameters import SearchSpace
from sweeper.domain.rendering import RenderedTraining, render
from sweeper.domain.sampling import leaves
from sweeper.domain.surroundings import Surroundings
from sweeper.domain.sweep import SweepSpec, TrainingTemplate
from sweeper.domain.templates import placeholder_names, unknown_placeholders
from sweeper.domain.values import plain
from sweeper.errors import MissingExtraError, RenderingError
from sweeper.sweepfile.findings import Findings
from sweeper.sweepfile.places import Node, Path
from sweeper.wire.checking import check_creation
from sweeper.wire.issues import Issue, Severity
from sweeper.wire.rules.view import Terms

SPEC: Path = ("training", "spec")

_VARIABLE = re.compile(r"\$\{envvar:([A-Z0-9_]*)\}")
_MOST_PLACEHOLDERS = 2000
_MOST_TEXT = 16 * 1024**2
_NUMBER_WIDTH = 25


def check_placeholders(findings: Findings, template: TrainingTemplate, space: SearchSpace) -> bool:
    """Make a fault of each placeholder of the spec that names nothing; return whether all do.

    The names of parameters that could not be read, whose faults are known, pass.
    """
    total = sum(text.count("${") for text in _texts(_at(findings.root, SPEC)))
    if total > _MOST_PLACEHOLDERS:
        findings.fault(
            SPEC, f"holds {total} placeholders, and no spec needs {_MOST_PLACEHOLDERS}: use fewer"
        )
        return False
    unknown = unknown_placeholders(template.spec, placeholder_names(space))
    parameters = _at(findings.root, ("parameters",))
    unread = set(parameters.members if parameters else ()) - space.parameters.keys()
    for each in unknown:
        if not findings.has_faults(("parameters",)) or each.name.partition(".")[0] not in unread:
            findings.fault((*SPEC, *each.path), each.message)
    return not unknown


def rehearse(findings: Findings, spec: SweepSpec, terms: Terms, *, local: bool) -> None:
    """Render the first trial and add what is wrong with it, or worth knowing, to the findings."""
    if _unfolds_too_far(findings.root, spec.space):
        findings.fault(
            (), "the placeholders and macros stand for too much text: use fewer, or shorter values"
        )
        return
    try:
        rendered = render(
            spec, _surroundings(findings.root, spec, local=local), 0, 1, Expansion(spec).params(0)
        )
    except RenderingError as error:
        _add_rendering(findings, str(error))
        return
    except MissingExtraError:
        return  # told where the parameter stands
    for notice in rendered.notices:
        findings.warning(("command",), notice, key=True)
    if rendered.argv is None and not rendered.notices and local:
        findings.warning((), "says nothing to start on this machine: add program, or command")
    if spec.training is not None:
        _check(findings, rendered, terms)


def _check(findings: Findings, rendered: RenderedTraining, terms: Terms) -> None:
    body = {
        "name": rendered.name,
        "projectId": "project",
        "clusterId": "00000000-0000-0000-0000-000000000000",
        "spec": plain(rendered.spec),
    }
    for issue in check_creation(body, terms):
        path = (*SPEC, *issue.path)
        if issue.shared and _varies(findings.root, path):
            continue
        if issue.severity is Severity.ERROR:
            findings.fault(path, issue.message, key=_is_of_key(findings.root, issue))
        else:
            findings.warning(path, issue.message)


def _is_of_key(root: Node, issue: Issue) -> bool:
    return _at(root, (*SPEC, *issue.path)) is None


def _varies(root: Node, path: Path) -> bool:
    node = _at(root, path)
    return node is not None and any("${" in text for text in _texts(node))


def _add_rendering(findings: Findings, message: str) -> None:
    """Add what the renderer says, which begins with the place: `training.spec.args: ...`."""
    head, _, said = message.partition(": ")
    path = tuple(int(part) if part.isdigit() else part for part in head.split("."))
    findings.fault(path, said)


def _surroundings(root: Node, spec: SweepSpec, *, local: bool) -> Surroundings:
    # Which variables are set is not known before the run, so each one asked for counts as set.
    names = {name for text in _texts(root.child("command")) for name in _VARIABLE.findall(text)}
    return Surroundings(
        sweep_id="0" * 10,
        sweep_name=spec.name,
        slug=slug(spec.name),
        is_local=local,
        directory="/",
        files="/",
        environment=dict.fromkeys(names, "set"),
    )


def _unfolds_too_far(root: Node, space: SearchSpace) -> bool:
    places = sum(
        text.count("${")
        for node in (root.child("command"), _at(root, SPEC))
        for text in _texts(node)
    )
    return places * _width(space) > _MOST_TEXT


def _width(space: SearchSpace) -> int:
    """Return about how many characters the params of one trial have at most."""
    total = 0
    for path, parameter in leaves(space):
        described = parameter.describe()
        values = described.get("values", [described.get("value")])
        longest = max(len(str(value)) for value in values) if isinstance(values, list) else 0
        total += sum(map(len, path)) + max(longest, _NUMBER_WIDTH)
    return total


def _texts(node: Node | None) -> Iterator[str]:
    if node is None:
        return
    if isinstance(node.value, str):
        yield node.value
    for child in (*node.items, *node.members.values()):
        yield from _texts(child)


def _at(root: Node, path: Path) -> Node | None:
    node: Node | None = root
    for step in path:
        node = None if node is None else node.child(step)
    return node
