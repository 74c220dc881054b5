"""What a simulated runtime plays: how long each training goes on, and how it ends, by a plan.

All is drawn from the plan's seed, the workload's name and the number of the start, so the same
sweep goes the same way again, whatever happens around it and however often the server restarts.
"""

import math
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field, TypeAdapter, with_config

from sweeper.local.runtime import StartOrder
from sweeper.local.yaml_files import parse_yaml, read_yaml_file

Seconds: TypeAlias = Annotated[float, Field(ge=0, le=10 * 365 * 86_400)]
Positive: TypeAlias = Annotated[float, Field(gt=0, le=10 * 365 * 86_400)]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]

LONGEST_SECONDS = 10 * 365 * 86_400.0

_strict = with_config(ConfigDict(extra="forbid", allow_inf_nan=False))


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """Every training goes on for so long."""

    kind: Literal["fixed"] = "fixed"
    seconds: Seconds

    def draw(self, rng: random.Random) -> float:  # noqa: ARG002 - there is nothing to draw
        """Return seconds."""
        return self.seconds


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class Uniform:
    """Anything between two lengths is as likely."""

    kind: Literal["uniform"] = "uniform"
    shortest: Seconds
    longest: Seconds

    def draw(self, rng: random.Random) -> float:
        """Return seconds."""
        return rng.uniform(self.shortest, self.longest)


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class LogNormal:
    """Most are near the median and a few far above it, as trainings are.

    `spread` is the standard deviation of the logarithm: 0.5 has one in six above 1.6 medians.
    """

    kind: Literal["lognormal"] = "lognormal"
    median: Positive
    spread: Annotated[float, Field(ge=0, le=5)] = 0.5

    def draw(self, rng: random.Random) -> float:
        """Return seconds."""
        return min(rng.lognormvariate(math.log(self.median), self.spread), LONGEST_SECONDS)


Durations: TypeAlias = Fixed | Uniform | LogNormal


@_strict
@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationPlan:
    """How simulated trainings go; all lengths are in the plan's own seconds.

    - `time_scale` is how many of them pass in one real second: 60 makes a minute of each. It is
      the processes' time only: back-off, automatic deletion and time stamps are real
    - `startup` is how long a training is Initializing, `duration` how long it runs then
    - `failures` is the share of starts that end with `exit_code`
    - `preemptions_per_hour` is how often, on average, an hour of running is preempted
    - `term_seconds` is how long a process takes to end when it is told to
    """

    seed: int = 0
    time_scale: Annotated[float, Field(gt=0, le=1_000_000)] = 1.0
    startup: Seconds = 0.0
    duration: Annotated[Durations, Field(discriminator="kind")] = field(
        default_factory=lambda: LogNormal(median=60.0)
    )
    failures: Share = 0.0
    exit_code: Annotated[int, Field(ge=1, le=255)] = 1
    preemptions_per_hour: Annotated[float, Field(ge=0, le=3600)] = 0.0
    term_seconds: Seconds = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How one start goes, in real seconds since it was ordered.

    It runs from `ready` to `end`; `preempted` is when its place is taken, None if it is not.
    """

    ready: float
    end: float
    exit_code: int
    preempted: float | None = None


PLAN_SHAPE = TypeAdapter(SimulationPlan)


def read_simulation(path: Path) -> SimulationPlan:
    """Return the plan in a YAML file.

    Raises:
        PlaneFileError: it cannot be read, or has faults; the message has all with their places.
    """
    return read_yaml_file(path, PLAN_SHAPE)


def parse_simulation(content: bytes, name: str) -> SimulationPlan:
    """Return the plan in a text of YAML or JSON; raises as `read_simulation`, naming `name`."""
    return parse_yaml(content, name, PLAN_SHAPE)


def start_mark(order: StartOrder) -> str:
    """Return what of an order decides its course: the workload's name and which start it is."""
    name = order.environment.get("RUNAI_JOB_NAME", "")
    start = order.key.removeprefix(order.environment.get("RUNAI_JOB_UUID", ""))
    return f"{name}{start}"


def draw_course(plan: SimulationPlan, mark: str) -> Course:
    """Return how the start of this mark goes; always the same for the same plan."""
    rng = random.Random(f"{plan.seed}/{mark}")
    seconds = plan.duration.draw(rng)
    is_failure = rng.random() < plan.failures
    hours = plan.preemptions_per_hour
    until_taken = rng.expovariate(hours / 3600) if hours else math.inf
    ready = plan.startup / plan.time_scale
    return Course(
        ready=ready,
        end=ready + seconds / plan.time_scale,
        exit_code=plan.exit_code if is_failure else 0,
        preempted=ready + until_taken / plan.time_scale if until_taken < seconds else None,
    )
