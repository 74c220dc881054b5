"""What sweep files mean, as data and as text, with nothing sent and nothing looked up."""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

from sweeper.bootstrap.attempts import rehearsal
from sweeper.bootstrap.early_terminate import early_terminate_text, early_terminate_view
from sweeper.bootstrap.estimating import estimate_of, estimate_text
from sweeper.bootstrap.reading import expand, read_file
from sweeper.bootstrap.searching import fall_back, has_model, known_params
from sweeper.domain.expansion import Expansion
from sweeper.domain.parameters import describe_space
from sweeper.domain.rendering import RenderedTraining, render
from sweeper.domain.sweep import SweepSpec, TrainingTemplate
from sweeper.domain.values import JsonValue, Params, plain
from sweeper.domain.wording import printable, shortened
from sweeper.errors import Fault, SweepFileError, UserError, describe_fault
from sweeper.settings import Settings
from sweeper.sweepfile.places import Notice
from sweeper.sweepfile.reading import SweepFile
from sweeper.sweepfile.schema import json_schema

JsonObject: TypeAlias = dict[str, Any]

FIRST = 5
"""Trials at the beginning of a sweep that a plan shows."""

_SHOWN_TRIALS = 3
_LINE = 160


def plan_file(
    file: Path,
    settings: Settings,
    *,
    strict: bool,
    local: bool,
    trial_duration: timedelta | None = None,
) -> JsonObject:
    """Return what a sweep file means, or its faults under `errors`.

    With a `trial_duration` also what the sweep takes if every trial takes that long.
    """
    try:
        read = read_file(file, settings, strict=strict, local=local)
        planned = _plan(read, expand(read), local=local, project=settings.project)
    except SweepFileError as error:
        return _errors(file, error.faults)
    except UserError as error:
        return _errors(file, [Fault(line=0, column=0, path="", message=str(error))])
    if trial_duration is not None:
        planned["estimate"] = estimate_of(read.spec, planned["trials"], trial_duration)
    return planned


def check_file(file: Path, settings: Settings, *, strict: bool, local: bool) -> JsonObject:
    """Return whether a sweep file can run: its notices, or its faults under `errors`."""
    planned = plan_file(file, settings, strict=strict, local=local)
    if "errors" in planned:
        return planned
    return {key: planned[key] for key in ("file", "sweep", "trials", "violations", "warnings")}


def sweep_file_schema() -> Mapping[str, Any]:
    """Return the JSON Schema of a sweep file."""
    return json_schema()


def plan_text(planned: JsonObject) -> str:
    """Return a plan, or the faults of a file, as text for a person."""
    if "errors" in planned:
        return _error_text(planned)
    return _printed(_plan_lines(planned))


def check_text(checked: JsonObject) -> str:
    """Return what `validate` says of a file."""
    if "errors" in checked:
        return _error_text(checked)
    lines = [f"{checked['file']}: ok, {_count(checked['trials'])}"]
    return _printed([*lines, *_notice_lines(checked)])


def _plan(file: SweepFile, expansion: Expansion, *, local: bool, project: str | None) -> JsonObject:
    spec, planned = file.spec, expansion.planned
    count = FIRST if planned is None else min(planned, FIRST)
    trials = _Trials(spec=spec, local=local, project=project)
    known = known_params(spec, expansion, count)
    # Where a model suggests params, nobody knows the last ones.
    has_last = bool(planned) and not has_model(spec)
    return {
        "file": file.file,
        "sweep": {"name": spec.name, "method": spec.method.value, "seed": spec.seed},
        "trials": planned,
        "first": [trials.shown(number, params) for number, params in enumerate(known)],
        "last": trials.shown(planned - 1, expansion.params(planned - 1))
        if planned and has_last
        else None,
        "search": _search(spec),
        "space": plain(describe_space(spec.space)),
        "early_terminate": early_terminate_view(spec),
        "violations": [_notice(notice) for notice in file.violations],
        "warnings": [_notice(notice) for notice in _warnings(file, trials, known)],
    }


def _search(spec: SweepSpec) -> JsonObject | None:
    if spec.search is None or (spec.search.is_implied and not has_model(spec)):
        return None
    return {"sampler": spec.search.sampler.value, **spec.search.options}


def _warnings(file: SweepFile, trials: "_Trials", known: Sequence[Params]) -> Iterator[Notice]:
    """Yield the file's warnings, then what only the first trial shows."""
    yield from file.warnings
    if fall_back(file.spec):
        yield Notice(line=0, column=0, path="method", message=fall_back(file.spec))
    told = {notice.message for notice in file.warnings}
    first = trials.notices(known[0]) if known else ()
    yield from (notice for notice in first if notice.message not in told)


class _Trials:
    """Shows trials as they would be sent."""

    def __init__(self, *, spec: SweepSpec, local: bool, project: str | None) -> None:
        self._spec = spec
        self._is_local = local or spec.training is None
        self._around = rehearsal(spec, is_local=self._is_local)
        self._project = project

    def shown(self, number: int, params: Params) -> JsonObject:
        """Return a trial: number, params, argv, and the request body of its training."""
        rendered = render(self._spec, self._around, number, 1, params)
        found: JsonObject = {
            "number": number,
            "params": plain(params),
            "argv": None if rendered.argv is None else list(rendered.argv),
        }
        if self._spec.training is not None:
            found["training"] = self._body(self._spec.training, rendered)
        return found

    def notices(self, params: Params) -> Iterator[Notice]:
        """Yield what is worth knowing about the first trial's command line."""
        first = render(self._spec, self._around, 0, 1, params)
        for text in first.notices:
            yield Notice(line=0, column=0, path="command", message=text)

    def _body(self, template: TrainingTemplate, rendered: RenderedTraining) -> JsonObject:
        project, cluster = template.project or self._project, template.cluster
        return {
            "name": rendered.name,
            "projectId": template.project_id or _unresolved("project", project),
            "clusterId": template.cluster_id or _unresolved("cluster", cluster),
            "spec": plain(rendered.spec),
        }


def _unresolved(what: str, name: str | None) -> str:
    """Stand for an id that only the control plane can tell."""
    return f"<id of the {what} {name}>" if name else f"<id of the {what}>"


def _errors(file: Path, faults: Sequence[Fault]) -> JsonObject:
    return {
        "file": str(file),
        "errors": [
            {
                "line": fault.line,
                "column": fault.column,
                "path": fault.path,
                "message": fault.message,
            }
            for fault in faults
        ],
    }


def _notice(notice: Notice) -> JsonObject:
    return {
        "line": notice.line,
        "column": notice.column,
        "path": notice.path,
        "message": notice.message,
    }


def _error_text(found: JsonObject) -> str:
    return _printed(describe_fault(found["file"], Fault(**error)) for error in found["errors"])


def _printed(lines: Iterable[str]) -> str:
    """Return lines of which each stays one, whatever the file holds."""
    return "\n".join(map(printable, lines))


def _plan_lines(planned: JsonObject) -> Iterator[str]:
    sweep = planned["sweep"]
    yield f"{planned['file']}: sweep {sweep['name']}, {sweep['method']}, seed {sweep['seed']}"
    yield f"  {_count(planned['trials'])}"
    if planned["search"]:
        options = {key: value for key, value in planned["search"].items() if key != "sampler"}
        yield f"  drawn by {planned['search']['sampler']} {_facts(options)}".rstrip()
    yield "  parameters:"
    yield from _space_lines(planned["space"], "    ")
    if planned["early_terminate"]:
        yield f"  early_terminate: {early_terminate_text(planned['early_terminate'])}"
    for trial in planned["first"][:_SHOWN_TRIALS]:
        yield f"  trial {trial['number']}: {_trial_text(trial)}"
    if planned["search"] and planned["last"] is None:
        yield "  what comes then depends on results"
    last = planned["last"]
    if last is not None and last["number"] >= _SHOWN_TRIALS:
        yield f"  last, trial {last['number']}: {_trial_text(last)}"
    if "estimate" in planned:
        yield f"  {estimate_text(planned['estimate'])}"
    yield from (f"  {line}" for line in _notice_lines(planned))
    if any("training" in trial for trial in planned["first"]):
        yield "  --json shows the very requests that would be sent"


def _space_lines(space: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, found in space.items():
        if "parameters" in found:
            yield f"{indent}{name}:"
            yield from _space_lines(found["parameters"], f"{indent}  ")
        else:
            facts = {key: value for key, value in found.items() if key != "distribution"}
            yield _cut(f"{indent}{name}: {found['distribution']} {_facts(facts)}")


def _facts(facts: Mapping[str, JsonValue]) -> str:
    return ", ".join(f"{name} {json.dumps(plain(value))}" for name, value in facts.items())


def _trial_text(trial: JsonObject) -> str:
    argv = trial["argv"]
    return _cut(json.dumps(trial["params"]) if argv is None else shlex.join(argv))


def _notice_lines(found: JsonObject) -> Iterator[str]:
    for kind in ("violations", "warnings"):
        for notice in found[kind]:
            place = f"{notice['line']}:{notice['column']}: " if notice["line"] else ""
            path = f"{notice['path']}: " if notice["path"] else ""
            label = "W&B would complain" if kind == "violations" else "warning"
            yield f"{label}: {place}{path}{notice['message']}"


def _count(trials: int | None) -> str:
    if trials is None:
        return "trials without end (run_cap would bound them)"
    return f"{trials} trial{'' if trials == 1 else 's'}"


def _cut(line: str) -> str:
    return shortened(line, _LINE)
