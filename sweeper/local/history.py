"""The timeline of a training: its phases one after the other, between its events."""

from dataclasses import dataclass
from datetime import datetime

from sweeper.domain.phase import Phase
from sweeper.local.trainings import LocalTraining


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseUpdate:
    """A training entered a phase; `message` says why, "" where that is plain."""

    workload_id: str
    at: datetime
    phase: Phase
    message: str


def phase_update(old: LocalTraining | None, new: LocalTraining) -> PhaseUpdate | None:
    """Return the update that tells how a training became what it is, if its phase changed."""
    if old is not None and old.phase is new.phase:
        return None
    return PhaseUpdate(
        workload_id=new.workload_id,
        at=new.phase_updated_at,
        phase=new.phase,
        message=new.phase_message,
    )
