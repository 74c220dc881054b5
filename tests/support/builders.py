"""Domain objects for tests: each builder gives a plain, valid one that keywords vary."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from sweeper.domain.parameters import SearchSpace
from sweeper.domain.phase import PHASE_MEANING, Phase, PhaseMeaning
from sweeper.domain.planning import Draft, Snapshot
from sweeper.domain.record import SweepRecord, Totals
from sweeper.domain.sweep import LimitsSpec, Method, SweepSpec
from sweeper.domain.trial import Observation, Submission, TrainingEvent, Trial, TrialState
from sweeper.domain.values import Params, digest

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
"""The time at which tests happen."""

SWEEP_ID = "abcdefghij"
QUARANTINE = timedelta(seconds=20)


def after(**length: float) -> datetime:
    """Return `NOW` and so much later: `after(seconds=30)`."""
    return NOW + timedelta(**length)


def workload_name(number: int, attempt: int = 1) -> str:
    """Return the name that attempts of a test sweep have."""
    return f"demo-{SWEEP_ID}-{number}-{attempt}"


def workload_id(number: int, attempt: int = 1) -> str:
    """Return the id that builders give the training of an attempt."""
    return f"id-{number}-{attempt}"


def a_spec(**fields: Any) -> SweepSpec:
    """Return a random sweep with four slots, no training section and no objective."""
    given: dict[str, Any] = {
        "name": "demo",
        "method": Method.RANDOM,
        "space": SearchSpace(),
        "seed": 7,
        "limits": LimitsSpec(active=4),
    }
    return SweepSpec(**given | fields)


def a_sweep(**fields: Any) -> SweepRecord:
    """Return an open sweep of ten trials."""
    given: dict[str, Any] = {
        "id": SWEEP_ID,
        "name": "demo",
        "slug": "demo",
        "definition": {"method": "random"},
        "digest": "0" * 16,
        "method": "random",
        "seed": 7,
        "planned": 10,
        "directory": "/work",
        "control_plane": "local",
        "created_at": NOW,
    }
    return SweepRecord(**given | fields)


def a_submission(number: int = 0, **fields: Any) -> Submission:
    """Return an accepted attempt whose training is in `phase` (Running) since `NOW`.

    With `workload_id=None` it is an attempt whose create was left open.
    """
    attempt = fields.get("attempt", 1)
    given: dict[str, Any] = {
        "attempt": attempt,
        "workload_name": workload_name(number, attempt),
        "digest": digest({"lr": number}),
        "intent_at": NOW,
        "sent_at": NOW,
        "workload_id": workload_id(number, attempt),
        "phase": Phase.RUNNING,
    } | fields
    if given["workload_id"] is None:
        return Submission(**given | {"phase": fields.get("phase", Phase.UNKNOWN)})
    seen: dict[str, Any] = {"created_at": NOW, "phase_since": NOW, "seen_at": NOW}
    if PHASE_MEANING[given["phase"]] is PhaseMeaning.RUNNING:
        seen |= {"running_since": NOW, "first_running_at": NOW}
    return Submission(**seen | given)


def a_trial(number: int = 0, **fields: Any) -> Trial:
    """Return an active trial at work; fields that are not a trial's go to its submission.

    `reason` and `ended_at` are the submission's. A terminal trial has ended at `NOW`.
    """
    own = {key: value for key, value in fields.items() if key in _TRIAL_FIELDS}
    of_submission = {key: value for key, value in fields.items() if key not in _TRIAL_FIELDS}
    given: dict[str, Any] = {
        "number": number,
        "params": {"lr": number},
        "state": TrialState.ACTIVE,
        "state_since": NOW,
        "created_at": NOW,
        "version": 1,
    } | own
    if given["state"].is_terminal:
        given = {"ended_at": NOW} | given
        of_submission = {"ended_at": NOW, "running_since": None} | of_submission
    if "submission" not in given:
        given["submission"] = a_submission(number, **of_submission)
    return Trial(**given)


_TRIAL_FIELDS = frozenset(Trial.__dataclass_fields__) - {"reason", "ended_at"}


def an_observation(phase: Phase = Phase.RUNNING, *, of: Trial, **fields: Any) -> Observation:
    """Return a reading of the training that `of` is at."""
    given: dict[str, Any] = {
        "workload_id": of.submission.workload_id,
        "name": of.submission.workload_name,
        "phase": phase,
        "created_at": NOW,
    }
    return Observation(**given | fields)


def an_event(reason: str, message: str = "", **fields: Any) -> TrainingEvent:
    """Return an event of a training, at `NOW`."""
    given: dict[str, Any] = {"at": NOW, "reason": reason, "message": message}
    return TrainingEvent(**given | fields)


def a_snapshot(*live: Trial, **fields: Any) -> Snapshot:
    """Return what a plan sees of ten trials, with `live` those not settled.

    `next_number`, when not given, follows the highest number in `live`.
    """
    following = max((trial.number for trial in live), default=-1) + 1
    number = fields.pop("next_number", following)
    given: dict[str, Any] = {
        "sweep": a_sweep(),
        "spec": a_spec(),
        "live": live,
        "totals": Totals(states=_counted(live), next_number=number),
        "planned": 10,
        "quarantine": QUARANTINE,
    }
    return Snapshot(**given | fields)


def a_draft(number: int, attempt: int, params: Params | None, gpus: Fraction | int = 0) -> Draft:
    """Draft an attempt as the daemon does, from fixed params and the test sweep's names."""
    point = {"lr": number} if params is None else params
    return Draft(
        params=point,
        workload_name=workload_name(number, attempt),
        digest=digest(point),
        gpus=Fraction(gpus),
    )


def _counted(trials: Iterable[Trial]) -> dict[TrialState, int]:
    counts: dict[TrialState, int] = {}
    for trial in trials:
        counts[trial.state] = counts.get(trial.state, 0) + 1
    return counts
