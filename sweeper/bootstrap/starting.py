"""A sweep's record: made at its first start, compared with the file at every later one."""

import base64
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sweeper.bootstrap.planes import LOCAL
from sweeper.domain.expansion import slug
from sweeper.domain.record import SweepRecord, SweepState
from sweeper.domain.reviewing import EQUAL_REJECTIONS
from sweeper.errors import Fault, SettingsError, SweepFileError
from sweeper.sweepfile.changes import difference
from sweeper.sweepfile.reading import SweepFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The record to go on with, and whether trials that were refused get another chance."""

    record: SweepRecord
    retries: bool = False


def first_record(
    file: SweepFile, *, planned: int | None, directory: Path, control_plane: str, now: datetime
) -> SweepRecord:
    """Return the record of a sweep that was never started, with an id of its own."""
    spec = file.spec
    return SweepRecord(
        id=new_sweep_id(secrets.token_bytes),
        name=spec.name,
        slug=slug(spec.name),
        definition=file.definition,
        digest=file.digest,
        method=spec.method,
        seed=spec.seed,
        planned=planned,
        directory=str(directory.absolute()),
        control_plane=control_plane,
        created_at=now,
        objective=spec.objective.name if spec.objective else None,
        goal=spec.objective.goal if spec.objective else None,
        rungs=spec.early_terminate.rungs if spec.early_terminate else (),
    )


def new_sweep_id(random_bytes: Callable[[int], bytes]) -> str:
    """Return 10 base32 characters (50 bits) that keep this store's workload names apart."""
    return base64.b32encode(random_bytes(7)).decode("ascii").lower()[:10]


def begun_anew(kept: SweepRecord, first: SweepRecord) -> SweepRecord:
    """Return the record of a sweep whose earlier starts came to no trial, as if it were its first.

    So a file may be mended after a start that was refused. The id stays, and what a person
    asked for.
    """
    return replace(
        first,
        id=kept.id,
        report_port=kept.report_port,
        state=kept.state,
        stop_reason=kept.stop_reason,
        ended_at=kept.ended_at,
        enqueued=kept.enqueued,
    )


def next_record(
    record: SweepRecord, file: SweepFile, *, planned: int | None, control_plane: str
) -> Start:
    """Return how a sweep that was started before goes on with its file as it is now.

    A sweep that was stopped is reopened by a changed file. One that the control plane refused
    may change its `training` section too, for nothing of it ever existed there.

    Raises:
        SweepFileError: something changed that may not change once a sweep has started.
        SettingsError: it would run somewhere else than before.
    """
    if record.control_plane != control_plane:
        raise SettingsError(
            f"sweep {record.name} has run on {_place(record.control_plane)} since its first "
            f"start, and would now run on {_place(control_plane)}: start it as before, or give "
            "the sweep another name"
        )
    changes = difference(record.definition, file.definition)
    was_refused = record.state is SweepState.STOPPED and record.rejections >= EQUAL_REJECTIONS
    if changes and not (was_refused and all(map(_is_of_training, changes))):
        raise changed_file(file.file, record.name, changes)
    current = replace(record, definition=file.definition, digest=file.digest, planned=planned)
    if record.state is SweepState.STOPPED and record.definition != file.definition:
        return Start(record=_reopened(current), retries=was_refused)
    return Start(record=current)


def changed_file(file: str, name: str, changes: Sequence[str]) -> SweepFileError:
    """Return the error that shows what may not change about a sweep that has started."""
    lines = "\n".join(f"    {line}" for line in changes)
    message = (
        f"sweep {name} has started, and the file says something else now:\n{lines}\n"
        "  only limits, retry, resume, timeouts, notify and cleanup may change; take the change "
        "back, or give the sweep another name"
    )
    return SweepFileError(file, [Fault(line=0, column=0, path="", message=message)])


def _is_of_training(change: str) -> bool:
    return change.startswith(("training.", "training:", "training["))


def _reopened(record: SweepRecord) -> SweepRecord:
    return replace(
        record,
        state=SweepState.OPEN,
        stop_reason="",
        rejection="",
        rejections=0,
        ended_at=None,
    )


def _place(control_plane: str) -> str:
    return "this machine" if control_plane == LOCAL else control_plane
