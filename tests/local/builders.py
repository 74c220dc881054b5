"""Trainings for tests, most of their members chosen already."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sweeper.domain.phase import DesiredPhase, Phase
from sweeper.local import happenings
from sweeper.local.places import CLUSTER_ID
from sweeper.local.pods import Pod, Process
from sweeper.local.trainings import LocalTraining, Step

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)

_RUNNING = {"pods": (Pod(),), "starts": 1}
IN_PHASE: dict[Phase, dict[str, Any]] = {
    Phase.CREATING: {},
    Phase.PENDING: {},
    Phase.INITIALIZING: {"pods": (Pod(process=Process.ORDERED),), "starts": 1},
    Phase.RUNNING: _RUNNING,
    Phase.DEGRADED: {"pods": (Pod(is_ready=False),), "starts": 1},
    Phase.STOPPING: {**_RUNNING, "desired_phase": DesiredPhase.STOPPED},
    Phase.STOPPED: {"starts": 1, "desired_phase": DesiredPhase.STOPPED},
    Phase.RESUMING: {"starts": 1},
    Phase.TERMINATING: _RUNNING,
    Phase.DELETING: {**_RUNNING, "desired_phase": DesiredPhase.DELETED},
    Phase.COMPLETED: {"starts": 1, "completed_at": NOW, "delete_at": NOW},
    Phase.FAILED: {"starts": 1, "completed_at": NOW, "delete_at": NOW},
}
"""What else holds of a training in each phase that occurs here."""


def a_training(number: int = 1, phase: Phase = Phase.PENDING, **changes: Any) -> LocalTraining:
    """Return a training as it is in that phase; `devices` are those of its one pod."""
    members = {**IN_PHASE[phase], **changes}
    devices = members.pop("devices", ())
    if devices:
        members["pods"] = (replace(members["pods"][0], devices=devices),)
    training = LocalTraining(
        number=number,
        workload_id=f"00000000-0000-4000-8000-{number:012d}",
        name=f"training-{number}",
        requested_name=f"training-{number}",
        project_id="1",
        cluster_id=CLUSTER_ID,
        created_by="local",
        created_at=NOW,
        phase_updated_at=NOW,
        phase=phase,
    )
    return replace(training, **members)


def begun(training: LocalTraining, now: datetime) -> Step:
    """Let the newest process of a training start."""
    return happenings.started(training, training.key, now)


def ended(training: LocalTraining, exit_code: int | None, now: datetime) -> Step:
    """Let the newest process of a training end."""
    return happenings.ended(training, training.key, exit_code, now)
