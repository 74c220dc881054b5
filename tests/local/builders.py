"""Trainings for tests, most of their members chosen already."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sweeper.domain.phase import DesiredPhase, Phase
from sweeper.local.places import CLUSTER_ID
from sweeper.local.trainings import LocalTraining, Process

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)

_RUNNING = {"process": Process.RUNNING, "starts": 1}
IN_PHASE: dict[Phase, dict[str, Any]] = {
    Phase.CREATING: {},
    Phase.PENDING: {},
    Phase.INITIALIZING: {"process": Process.ORDERED, "starts": 1},
    Phase.RUNNING: _RUNNING,
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
    """Return a training as it is in that phase."""
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
    return replace(training, **{**IN_PHASE[phase], **changes})
