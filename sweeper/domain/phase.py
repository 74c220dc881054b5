"""The phases that a control plane reports, and what each of them means to us.

The words and their spelling are Run:ai's (schemas `Phase` and `WorkloadDesiredPhase` of the
Trainings API, 2.21). There is no Suspended and no Preempted among them: a suspend leads to
Stopped, a preemption back to Pending.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Phase(StrEnum):
    """What the control plane says a training is doing (`actualPhase`)."""

    CREATING = "Creating"
    INITIALIZING = "Initializing"
    RESUMING = "Resuming"
    PENDING = "Pending"
    DELETING = "Deleting"
    RUNNING = "Running"
    UPDATING = "Updating"
    STOPPED = "Stopped"
    STOPPING = "Stopping"
    DEGRADED = "Degraded"
    FAILED = "Failed"
    COMPLETED = "Completed"
    TERMINATING = "Terminating"
    UNKNOWN = "Unknown"

    @classmethod
    def read(cls, word: str | None) -> "Phase":
        """Return the phase of that name; a missing or new word is UNKNOWN, never an error."""
        try:
            return cls(word) if word is not None else cls.UNKNOWN
        except ValueError:
            return cls.UNKNOWN


class DesiredPhase(StrEnum):
    """What the control plane was last told that a training should do (`desiredPhase`)."""

    RUNNING = "Running"
    STOPPED = "Stopped"
    DELETED = "Deleted"


class PhaseMeaning(StrEnum):
    """What a phase asks of us."""

    WAITING = "waiting"  # alive, not running yet: leave it alone, watch the timeout
    RUNNING = "running"  # alive and at work
    LEAVING = "leaving"  # in transition, may come back: leave it alone, watch the timeout
    STOPPED = "stopped"  # idle until someone resumes it
    COMPLETED = "completed"  # over, well
    FAILED = "failed"  # over, badly
    UNKNOWN = "unknown"  # no information: nothing follows from it


PHASE_MEANING: Mapping[Phase, PhaseMeaning] = MappingProxyType(
    {
        Phase.CREATING: PhaseMeaning.WAITING,
        Phase.PENDING: PhaseMeaning.WAITING,
        Phase.INITIALIZING: PhaseMeaning.WAITING,
        Phase.RESUMING: PhaseMeaning.WAITING,
        Phase.UPDATING: PhaseMeaning.RUNNING,
        Phase.RUNNING: PhaseMeaning.RUNNING,
        Phase.DEGRADED: PhaseMeaning.RUNNING,
        Phase.STOPPING: PhaseMeaning.LEAVING,
        Phase.TERMINATING: PhaseMeaning.LEAVING,
        Phase.DELETING: PhaseMeaning.LEAVING,
        Phase.STOPPED: PhaseMeaning.STOPPED,
        Phase.COMPLETED: PhaseMeaning.COMPLETED,
        Phase.FAILED: PhaseMeaning.FAILED,
        Phase.UNKNOWN: PhaseMeaning.UNKNOWN,
    }
)
