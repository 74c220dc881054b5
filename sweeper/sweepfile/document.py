"""All keys at the top of a sweep file: W&B's and ours, with what each may hold."""

import difflib
from collections.abc import Iterable
from functools import cache
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from sweeper.sweepfile.amounts import Count, PositiveWhole, Seed, complaint
from sweeper.sweepfile.distributions import AnyShape, NestedShape
from sweeper.sweepfile.early_terminate import EarlyTerminateShape
from sweeper.sweepfile.findings import Findings
from sweeper.sweepfile.limits import LimitsShape
from sweeper.sweepfile.notifying import ReceiverShape
from sweeper.sweepfile.objective import MetricShape
from sweeper.sweepfile.recovering import Cleanup, ResumeSection, RetrySection, TimeoutsSection
from sweeper.sweepfile.searching import SearchShape
from sweeper.sweepfile.shapes import read_value
from sweeper.sweepfile.sourcing import Source
from sweeper.sweepfile.training import TrainingShape
from sweeper.wire.rules.view import shown

Text = Annotated[str, Field(min_length=1)]

NOT_YET = ("metrics",)
"""Keys that have a meaning which this version does not carry out."""

_METHODS = ("grid", "random", "bayes")


def _method(value: Any) -> Any:
    if value in _METHODS:
        return value
    if value == "custom":
        raise complaint(
            "custom needs W&B's own scheduler, which sweeper does not run: "
            "write grid, random or bayes"
        )
    near = difflib.get_close_matches(value, _METHODS, n=1) if isinstance(value, str) else []
    remedy = f"did you mean {near[0]}?" if near else "write grid, random or bayes"
    raise complaint(f"{shown(value)} is no method: {remedy}")


class Document(BaseModel):
    """A sweep file: hyper-parameter search in W&B's words, and how sweeper runs it."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        title="sweep.yaml", use_attribute_docstrings=True, strict=True, extra="ignore"
    )

    method: Annotated[Literal["grid", "random", "bayes"], BeforeValidator(_method)]
    """How trials are drawn; bayes learns from results, by `search.sampler` (tpe)."""
    parameters: dict[str, AnyShape | NestedShape] = Field(min_length=1)
    """What varies from trial to trial, by name."""
    metric: MetricShape | None = None
    """The value that the sweep optimises."""
    program: Text | None = None
    """The script that the command runs."""
    command: list[str | int | float] | None = None
    """Words of the command line with W&B's macros.
    Default: `${env} ${interpreter} ${program} ${args}`."""
    early_terminate: EarlyTerminateShape | None = None
    """When to stop bad trials early."""
    run_cap: PositiveWhole | None = None
    """The most trials."""
    name: Text | None = None
    """The sweep's key; `{date}` is today. Default: the file's name and a hash of its path."""
    description: str | None = None
    """What the sweep is for."""
    entity: str | None = None
    """W&B's; ignored."""
    project: str | None = None
    """W&B's; ignored. Run:ai's project is `training.project`."""
    apiVersion: str | None = None  # noqa: N815 - W&B's name
    """W&B's; ignored."""
    kind: str | None = None
    """W&B's; ignored."""
    controller: Any = None
    """W&B's; ignored."""
    job: Text | None = None
    """A job of W&B Launch; sweeper runs `program` or `command`."""
    image_uri: Text | None = None
    """An image of W&B Launch; sweeper's is `training.spec.image`."""
    scheduler: Any = None
    """W&B Launch's; ignored."""
    launch: Any = None
    """W&B Launch's; ignored."""
    settings: Any = None
    """W&B's; ignored."""

    training: TrainingShape | None = None
    """Where trials run on Run:ai. Without it they run on this machine."""
    limits: LimitsShape | None = None
    """Bounds on what runs at once and in all."""
    retry: RetrySection | None = None
    """How often failed trials are submitted again."""
    resume: ResumeSection | None = None
    """When stopped trainings are resumed."""
    timeouts: TimeoutsSection | None = None
    """How long a training may stay in one phase."""
    search: SearchShape | None = None
    """What draws params where neither a grid nor chance does."""
    seed: Seed | None = None
    """Decides all random draws. Default: taken from the name."""
    order: Literal["file", "shuffled"] | None = None
    """In which order a grid is walked."""
    repeats: Count | None = None
    """How many trials each point gets."""
    points: list[dict[str, Any]] | None = None
    """Points that are tried first."""
    when: dict[str, dict[str, Any]] | None = None
    """Parameters that exist only where others have some value: `{momentum: {optimizer: sgd}}`."""
    constraints: list[Text] | None = None
    """What params must meet, as arithmetic and comparisons: `[a * b <= 64]`."""
    zip: list[Annotated[list[Text], Field(min_length=2)]] | None = None
    """Groups of parameters whose lists of values walk together."""
    cleanup: Cleanup = None
    """What becomes of finished trainings on the control plane. Default: `{after: 7d}`."""
    objective: Source | None = None
    """Where the objective's value comes from: push (trials report it), stdout, or a file."""
    notify: list[ReceiverShape] | None = None
    """Who is told of the sweep, and of what."""


KNOWN = (*Document.model_fields, *NOT_YET)


def check_keys(findings: Findings) -> None:
    """Say what is wrong with the keys at the top: unknown ones, and those not carried out."""
    for key in findings.root.members:
        if key in NOT_YET:
            findings.fault((key,), f"this version does not carry out {key}: remove it", key=True)
    _sort_out(findings, (key for key in findings.root.members if key not in KNOWN))


def is_given(findings: Findings, key: str) -> bool:
    """Return whether the file says anything under `key`; null says nothing."""
    node = findings.root.members.get(key)
    return node is not None and node.value is not None


def read_key(findings: Findings, key: str) -> Any:
    """Return the value under `key`, None when nothing is given or it does not fit."""
    return read_value(_shape(key), findings, (key,)) if is_given(findings, key) else None


@cache
def _shape(key: str) -> TypeAdapter[Any]:
    field = Document.model_fields[key]
    shape: Any = Annotated[field.annotation, field]
    return TypeAdapter(shape)


def _sort_out(findings: Findings, unknown: Iterable[str]) -> None:
    for key in unknown:
        near = findings.nearest(key, KNOWN)
        if near:
            findings.fault((key,), f"unknown key: did you mean {near}?", key=True)
        else:
            findings.violation(
                (key,), "neither W&B nor sweeper knows this key: it has no effect", key=True
            )
