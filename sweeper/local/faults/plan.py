"""The fault plan: which answers go wrong and what befalls trainings, when and how often.

A plan is read from YAML (`read_plan`) or built in code. Lengths of time are seconds since the plan
was loaded; shares and probabilities go from 0 to 1. Everything that is drawn comes from the seed:
the same plan and the same sequence of requests give the same faults.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field, TypeAdapter, with_config

from sweeper.local.faults.operations import Operation
from sweeper.local.yaml_files import parse_yaml, read_yaml_file

Seconds: TypeAlias = Annotated[float, Field(ge=0, le=10 * 365 * 86_400)]
Positive: TypeAlias = Annotated[float, Field(gt=0, le=10 * 365 * 86_400)]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Times: TypeAlias = Annotated[int, Field(ge=1)]
When: TypeAlias = Literal["before", "after"]
"""Before the request has had its effect, or after it."""

_strict = with_config(ConfigDict(extra="forbid", allow_inf_nan=False))


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """The answer comes later, by `seconds` up to `most` (None: exactly `seconds`)."""

    kind: Literal["latency"] = "latency"
    seconds: Seconds
    most: Seconds | None = None
    when: When = "before"


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The answer is an error, in JSON as the API's or in HTML as a gateway's."""

    kind: Literal["status"] = "status"
    status: Annotated[int, Field(ge=300, le=599)] = 503
    when: When = "before"
    retry_after: Annotated[int, Field(ge=0, le=86_400)] | None = None
    body: Literal["json", "html", "empty"] = "json"


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """The connection ends without an answer."""

    kind: Literal["drop"] = "drop"
    when: When = "before"


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The connection ends in the middle of the answer's body."""

    kind: Literal["cut"] = "cut"


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """The body comes piece by piece and takes `seconds` in all."""

    kind: Literal["slow"] = "slow"
    seconds: Positive


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Empty:
    """A good answer has no body."""

    kind: Literal["empty"] = "empty"


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage:
    """A good answer has a body that is no JSON."""

    kind: Literal["garbage"] = "garbage"


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLife:
    """Tokens die so many seconds after they were given, whatever their answer said."""

    kind: Literal["token_life"] = "token_life"
    seconds: Seconds


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """A create whose name is taken is answered with this status."""

    kind: Literal["duplicates"] = "duplicates"
    status: Literal[400, 409] = 409


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseWord:
    """The actual phase in an answer is this word, or is left out (None)."""

    kind: Literal["phase"] = "phase"
    word: Annotated[str, Field(min_length=1, max_length=100)] | None = None


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class ListingLag:
    """A new training is missing in listings for so many seconds."""

    kind: Literal["lag"] = "lag"
    seconds: Positive


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Amnesia:
    """This share of all trainings is not known: not to be read (404), and in no listing."""

    kind: Literal["amnesia"] = "amnesia"
    share: Share = 1.0


Fault: TypeAlias = (
    Latency
    | Status
    | Drop
    | Cut
    | Slow
    | Empty
    | Garbage
    | TokenLife
    | Duplicates
    | PhaseWord
    | ListingLag
    | Amnesia
)


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When a fault befalls an answer.

    - `fault` is what goes wrong
    - `on` are the operations that it may befall; empty means all that it makes sense for
    - `probability` is that of each request; with `every`, only each n-th of them may be hit
    - `times` is how often at most; `since` and `until` bound it in time
    """

    fault: Annotated[Fault, Field(discriminator="kind")]
    on: tuple[Operation, ...] = ()
    probability: Share = 1.0
    every: Times = 1
    times: Times | None = None
    since: Seconds = 0.0
    until: Seconds | None = None


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Preempt:
    """The scheduler takes the place of trainings that run; they wait and start again."""

    kind: Literal["preempt"] = "preempt"
    share: Share = 1.0


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class RuleStop:
    """A scheduling rule of the project stops trainings that run.

    `desired` is the desired phase that is shown afterwards: nobody has written down which it is.
    """

    kind: Literal["rule_stop"] = "rule_stop"
    share: Share = 1.0
    desired: Literal["Stopped", "Running"] = "Stopped"


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Suspend:
    """Somebody suspends trainings."""

    kind: Literal["suspend"] = "suspend"
    share: Share = 1.0


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Somebody deletes trainings."""

    kind: Literal["delete"] = "delete"
    share: Share = 1.0


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class LoseNode:
    """The node of trainings that run is lost; they start again elsewhere."""

    kind: Literal["lose_node"] = "lose_node"
    share: Share = 1.0


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireTokens:
    """All tokens given so far are good no more."""

    kind: Literal["expire_tokens"] = "expire_tokens"


OnTrainings: TypeAlias = Preempt | RuleStop | Suspend | Delete | LoseNode

Misfortune: TypeAlias = OnTrainings | ExpireTokens


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """When a misfortune befalls the control plane: at a time, or again and again from then on."""

    misfortune: Annotated[Misfortune, Field(discriminator="kind")]
    at: Seconds = 0.0
    every: Positive | None = None
    until: Seconds | None = None


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Sticking:
    """This share of trainings stays in a phase for `seconds` (None: until told something else)."""

    phase: Literal["Creating", "Resuming"]
    share: Share = 1.0
    seconds: Positive | None = None
    since: Seconds = 0.0
    until: Seconds | None = None


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """All that goes wrong. `deletes_at_once` deletes what is finished the moment it is."""

    seed: int = 0
    rules: tuple[Rule, ...] = ()
    happenings: tuple[Happening, ...] = ()
    sticking: tuple[Sticking, ...] = ()
    deletes_at_once: bool = False


NO_FAULTS = FaultPlan()

PLAN_SHAPE = TypeAdapter(FaultPlan)


def read_plan(path: Path) -> FaultPlan:
    """Return the plan in a YAML file.

    Raises:
        PlaneFileError: it cannot be read, or has faults; the message has all with their places.
    """
    return read_yaml_file(path, PLAN_SHAPE)


def parse_plan(content: bytes, name: str) -> FaultPlan:
    """Return the plan in a text of YAML or JSON; raises as `read_plan` does, naming `name`."""
    return parse_yaml(content, name, PLAN_SHAPE)
