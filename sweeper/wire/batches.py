"""One command to many workloads: what is sent, and what a control plane answers."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from sweeper.wire.answers import AnswerModel
from sweeper.wire.scalars import SentModel, Uuid

MAX_IDS = 100
"""The most workloads of one batch."""


class BatchRequest(SentModel):
    """The body of `POST /api/v1/workloads/batch`."""

    ids: Annotated[list[str], Field(min_length=1, max_length=MAX_IDS)]
    """The workloads, 1 to 100; one that does not exist fails alone."""
    action: Literal["delete", "suspend", "resume"]
    """What to do with each."""


class BatchFailure(AnswerModel):
    """A workload with which it could not be done."""

    id: str
    """The workload."""
    code: int
    """The status that the command alone would have had."""
    message: str
    """What is wrong."""


class BatchReply(AnswerModel):
    """The answer to a batch: a command that failed does not keep the others from success."""

    id: Uuid
    """The id of the batch itself."""
    succeeded: Sequence[str] = ()
    """The workloads with which it was done, in the order given."""
    failed: Sequence[BatchFailure] = ()
    """The others."""
