"""From a sweep file to what it means: the whole file, every fault at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sweeper.domain.expansion import Expansion
from sweeper.domain.parameters import SearchSpace
from sweeper.domain.rules import Rules
from sweeper.domain.search import SearchSpec
from sweeper.domain.sources import FileSource, StdoutSource
from sweeper.domain.stopping import waits_for_all
from sweeper.domain.sweep import (
    LimitsSpec,
    Method,
    Order,
    ResumeSpec,
    RetrySpec,
    SweepSpec,
    TimeoutsSpec,
    TrainingTemplate,
)
from sweeper.domain.values import JsonValue, Params
from sweeper.errors import Fault, SweepFileError, UnmetRulesError
from sweeper.sweepfile.changes import digest
from sweeper.sweepfile.command import read_command
from sweeper.sweepfile.document import check_keys, is_given, read_key
from sweeper.sweepfile.early_terminate import read_early_terminate
from sweeper.sweepfile.events import MAX_BYTES, BrokenTextError
from sweeper.sweepfile.findings import MAX_FAULTS, Findings, TooManyFaults
from sweeper.sweepfile.labels import check_labels
from sweeper.sweepfile.limits import read_limits
from sweeper.sweepfile.loading import load
from sweeper.sweepfile.naming import default_seed, read_name
from sweeper.sweepfile.notifying import read_notify
from sweeper.sweepfile.objective import read_objective
from sweeper.sweepfile.parameters import check_grid, read_space
from sweeper.sweepfile.places import Notice
from sweeper.sweepfile.points import read_points, read_zip
from sweeper.sweepfile.recovering import read_resume, read_retry, read_timeouts
from sweeper.sweepfile.rehearsing import check_placeholders, rehearse
from sweeper.sweepfile.ruling import check_points, read_rules
from sweeper.sweepfile.searching import read_search, settle_search
from sweeper.sweepfile.secrets import check_secrets, hide_secrets
from sweeper.sweepfile.sourcing import check_path, read_source
from sweeper.sweepfile.training import read_training
from sweeper.wire.issues import Side
from sweeper.wire.rules.view import OLDEST_VERSION, Terms, Version

DEFAULT_ACTIVE_REMOTE = 8
"""`limits.active` of a sweep on Run:ai that gives none."""

DEFAULT_CLEANUP = timedelta(days=7)
"""How long finished trainings are kept by a control plane where the file does not say."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingContext:
    """What a sweep file's meaning depends on beside its text.

    `today` stands for `{date}` in the name; `name`, where given, stands in for the file's own.
    `default_active_local` is `limits.active` of a sweep on this machine that gives none. `strict`
    makes every violation and warning a fault. `local` runs a sweep with a training section on this
    machine. `api_version` is the control plane's; `allow_privileged` lets privileged fields of the
    spec pass.
    """

    today: date
    default_active_local: int
    name: str | None = None
    strict: bool = False
    local: bool = False
    api_version: Version = OLDEST_VERSION
    allow_privileged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepFile:
    """A sweep file that can run.

    `violations` is what W&B would complain about, `warnings` what sweeper has to say; both in
    the file's order. `definition` is the file's plain data with values of environment variables,
    and whatever else looks like a secret, replaced by digests. `digest` covers what of it may
    not change once the sweep has started.
    """

    file: str
    spec: SweepSpec = field(repr=False)
    violations: tuple[Notice, ...]
    warnings: tuple[Notice, ...]
    definition: Mapping[str, JsonValue]
    digest: str


def read_sweep_file(path: Path, context: ReadingContext) -> SweepFile:
    """Return what the file at `path` means.

    Raises:
        SweepFileError: it cannot be read, or it cannot run; holds all faults in file order.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        fault = Fault(line=0, column=0, path="", message=f"cannot be read: {reason}")
        raise SweepFileError(str(path), [fault]) from error
    return parse_sweep(content, str(path), context)


def parse_sweep(text: str | bytes, file: str, context: ReadingContext) -> SweepFile:
    """Return what `text` means as the content of the file named `file`, which need not exist.

    Raises:
        SweepFileError: it cannot run; holds all faults in file order.
    """
    try:
        loaded = load(text)
    except BrokenTextError as error:
        raise SweepFileError(file, [error.fault]) from error
    findings = Findings(loaded.root)
    findings.note(loaded.warnings)
    spec: SweepSpec | None = None
    try:
        for fault in loaded.faults:
            findings.add(fault)
        spec = _Reading(findings, file, context).spec()
    except TooManyFaults:
        pass
    faults = _refused(findings, context)
    if spec is None or faults:
        raise SweepFileError(file, faults)
    definition = hide_secrets(loaded.root)
    return SweepFile(
        file=file,
        spec=spec,
        violations=findings.violations,
        warnings=findings.warnings,
        definition=definition,
        digest=digest(definition),
    )


def _refused(findings: Findings, context: ReadingContext) -> list[Fault]:
    """Return all faults; with `strict`, what would only be said counts as well."""
    faults = findings.faults
    if len(faults) >= MAX_FAULTS:
        message = f"there are {MAX_FAULTS} faults or more: mend these first"
        return [*faults, Fault(line=0, column=0, path="", message=message)]
    if context.strict:
        faults += [
            Fault(line=each.line, column=each.column, path=each.path, message=each.message)
            for each in (*findings.violations, *findings.warnings)
        ]
        faults.sort(key=lambda each: (each.line, each.column))
    return faults


class _Reading:
    """Reads one file section by section, each as far as it goes, so that all faults are found."""

    def __init__(self, findings: Findings, file: str, context: ReadingContext) -> None:
        self._findings = findings
        self._file = file
        self._context = context

    def spec(self) -> SweepSpec:
        """Return what the file means; where it has faults, something in their place."""
        findings = self._findings
        check_keys(findings)
        check_labels(findings)
        method = self._method()
        space = self._space(method)
        training = read_training(findings)
        is_local = self._is_local(training)
        name = read_name(
            findings, self._get("name"), self._file, self._context.today, flag=self._context.name
        )
        seed = self._get("seed")
        rules = self._rules(space)
        spec = SweepSpec(
            name=name,
            method=method or Method.RANDOM,
            space=space,
            seed=default_seed(name) if seed is None else seed,
            limits=self._limits(is_local=is_local),
            program=self._get("program"),
            command=read_command(findings),
            objective=self._section("metric", read_objective),
            run_cap=self._get("run_cap"),
            order=Order(self._get("order") or Order.FILE),
            repeats=self._get("repeats") or 1,
            points=self._points(space, rules),
            zip=self._zip(space),
            rules=rules,
            training=training,
            retry=self._section("retry", read_retry) or RetrySpec(),
            resume=self._section("resume", read_resume) or ResumeSpec(),
            timeouts=self._section("timeouts", read_timeouts) or TimeoutsSpec(),
            cleanup=self._cleanup(),
            early_terminate=self._section("early_terminate", read_early_terminate),
            search=self._search(method),
            description=self._description(),
            notify=self._section("notify", read_notify) or (),
            source=self._source(is_local=is_local),
        )
        check_secrets(findings)
        self._check_whole(spec)
        return spec

    def _get(self, key: str) -> Any:
        return read_key(self._findings, key)

    def _section(self, key: str, read: Callable[[Findings], T | None]) -> T | None:
        return read(self._findings) if is_given(self._findings, key) else None

    def _method(self) -> Method | None:
        findings = self._findings
        if not is_given(findings, "method"):
            findings.fault(("method",), "is missing: write grid, random or bayes", key=True)
            return None
        word = self._get("method")
        if word == Method.BAYES and not is_given(findings, "metric"):
            findings.fault(
                ("method",), "bayes needs a metric: write metric: {name: ..., goal: ...}"
            )
        return None if word is None else Method(word)

    def _space(self, method: Method | None) -> SearchSpace:
        node = self._findings.root.members.get("parameters")
        if node is None:
            self._findings.fault(
                ("parameters",), "are missing: write at least one, name: {values: [...]}", key=True
            )
            return SearchSpace()
        space = read_space(self._findings, ("parameters",), node)
        if method is Method.GRID:
            check_grid(self._findings, ("parameters",), space)
        return space

    def _search(self, method: Method | None) -> SearchSpec | None:
        given = self._section("search", read_search)
        has_metric = is_given(self._findings, "metric")
        return settle_search(self._findings, given, method, has_metric=has_metric)

    def _limits(self, *, is_local: bool) -> LimitsSpec:
        active = self._context.default_active_local if is_local else DEFAULT_ACTIVE_REMOTE
        return read_limits(self._findings, active) or LimitsSpec(active=active)

    def _source(self, *, is_local: bool) -> StdoutSource | FileSource | None:
        is_told = is_given(self._findings, "objective")
        return read_source(self._findings, is_local=is_local) if is_told else None

    def _is_local(self, training: TrainingTemplate | None) -> bool:
        return training is None or self._context.local

    def _rules(self, space: SearchSpace) -> Rules:
        when, constraints = self._of_parameters("when"), self._of_parameters("constraints")
        return read_rules(self._findings, space, when, constraints)

    def _points(self, space: SearchSpace, rules: Rules) -> tuple[Params, ...]:
        given = self._of_parameters("points")
        points = read_points(self._findings, space, given, rules) if given else ()
        check_points(self._findings, rules, points)
        return points

    def _zip(self, space: SearchSpace) -> tuple[tuple[str, ...], ...]:
        given = self._of_parameters("zip")
        return read_zip(self._findings, space, given) if given else ()

    def _of_parameters(self, key: str) -> Any:
        """Return what stands under a key that speaks of the parameters, None without any."""
        given = self._get(key)
        return given if "parameters" in self._findings.root.members else None

    def _cleanup(self) -> timedelta | None:
        if not is_given(self._findings, "cleanup"):
            return DEFAULT_CLEANUP
        kept = self._get("cleanup")
        return None if kept is None else kept.after

    def _description(self) -> str | None:
        node = self._findings.root.members.get("description")
        return node.value if node is not None and isinstance(node.value, str) else None

    def _check_whole(self, spec: SweepSpec) -> None:
        """Check what spans several keys, and the first trial as it would be sent."""
        findings, context = self._findings, self._context
        names_known = spec.training is None or check_placeholders(
            findings, spec.training, spec.space
        )
        check_path(findings, spec)
        if not findings.faults:
            self._check_size(spec)
            names_known = names_known and not findings.faults
        elif names_known:
            # Only the training is looked at, so the trial may be any.
            spec = replace(
                spec, method=Method.RANDOM, points=(), zip=(), rules=Rules(), search=None
            )
        if names_known:
            is_local = self._is_local(spec.training)
            terms = Terms(
                side=Side.CLIENT,
                api_version=context.api_version,
                allow_privileged=context.allow_privileged,
                needs_image=not is_local,
            )
            rehearse(findings, spec, terms, local=is_local)

    def _check_size(self, spec: SweepSpec) -> None:
        try:
            # To look at a grid with rules takes a while: once is enough.
            expansion = Expansion(spec)
            planned = expansion.planned
            if planned != 0 and not spec.rules.are_none:
                expansion.params(len(spec.points) * spec.repeats)
        except (ValueError, UnmetRulesError) as error:
            self._findings.fault(("constraints" if spec.rules.constraints else "when",), str(error))
            return
        if planned == 0 and spec.rules.constraints:
            self._findings.fault(("constraints",), "no point of the grid meets them: loosen them")
            return
        early, most = spec.early_terminate, spec.limits.max_trials
        if planned is None and early is not None and waits_for_all(early) and not early.bracket:
            message = "the sweep has no end of trials to wait for: write bracket, or run_cap"
            self._findings.fault(("early_terminate",), message, key=True)
        if most is None or (planned is not None and planned <= most):
            return
        count = (
            "no end of" if planned is None else f"{planned:,}" if planned < 10**18 else "over 10^18"
        )
        self._findings.fault(
            ("limits", "max_trials"),
            f"the sweep has {count} trials, more than {most:,}: write run_cap, or fewer values",
        )
