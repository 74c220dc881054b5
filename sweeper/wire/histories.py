"""What a control plane answers about the life of a workload: its phases and events in order."""

from collections.abc import Sequence
from typing import Literal

from pydantic import AwareDatetime

from sweeper.domain.phase import Phase
from sweeper.wire.answers import AnswerModel
from sweeper.wire.listings import WorkloadEvent


class HistoryMeta(AnswerModel):
    """What every record of a history has."""

    creation_timestamp: AwareDatetime
    """When it happened."""
    type: Literal["Event", "PhaseUpdate"]
    """Which of the record's members is there."""


class PhaseUpdate(AnswerModel):
    """A workload entered a phase."""

    phase: Phase
    """The phase."""
    phase_message: str = ""
    """Why, in words for people."""


class HistorySpec(AnswerModel):
    """What happened: one of the two."""

    event: WorkloadEvent | None = None
    """An event."""
    phase_update: PhaseUpdate | None = None
    """A new phase."""


class HistoryRecord(AnswerModel):
    """One thing that happened to a workload."""

    meta: HistoryMeta
    """When, and of which type."""
    spec: HistorySpec
    """What."""


class HistoryPage(AnswerModel):
    """One page of a workload's history."""

    next: int | None = None
    """Offset of the next page; left out on the last one."""
    records: Sequence[HistoryRecord]
    """The records on this page."""
