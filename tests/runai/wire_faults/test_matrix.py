"""Each fault of the wire at each call, judged by what the control plane has on record."""

import logging
import traceback
from contextlib import suppress
from pathlib import Path

import pytest

from sweeper.errors import ControlPlaneError, TrainingGoneError
from sweeper.ports import ControlPlane
from sweeper.runai.calls import DEADLINE_SECONDS
from sweeper.runai.operations import LISTINGS, Operation
from tests.runai.wire_faults.breaking import RETRY_AFTER
from tests.runai.wire_faults.calls import CALLS, Place, Subject, has_effect, prepare, word_of
from tests.runai.wire_faults.scene import WITHOUT_TLS, Scene, loop_time, place_here, scene_of, texts
from tests.runai.wire_faults.table import COLUMNS, ROWS, WRITES, Moment, Row


def cells(*, waits: bool) -> list[object]:
    """Return every cell of the table whose rows take time, or take none."""
    return [
        pytest.param(row, operation, id=f"{row.name}-{operation}")
        for row in ROWS
        if row.waits is waits
        for operation in COLUMNS
        if operation in row.outcomes
    ]


@pytest.mark.parametrize(("row", "operation"), cells(waits=False))
async def test_a_broken_wire_is_told_as_it_is(
    row: Row,
    operation: Operation,
    place: Place,
    ca_file: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with scene_of(row, place, ca_file) as scene:
        await go_through(scene, operation, caplog)


@pytest.mark.looptime
@pytest.mark.parametrize(("row", "operation"), cells(waits=True))
async def test_a_wire_that_keeps_us_waiting_is_told_as_it_is(
    row: Row,
    operation: Operation,
    tmp_path: Path,
    ca_file: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with place_here(tmp_path) as place, scene_of(row, place, ca_file) as scene:
        await go_through(scene, operation, caplog)


@pytest.mark.looptime
@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row.name) for row in ROWS if "After" in row.fault]
)
async def test_a_wait_that_is_asked_for_holds_back_every_call(
    row: Row, tmp_path: Path, ca_file: Path
) -> None:
    async with place_here(tmp_path) as place, scene_of(row, place, ca_file) as scene:
        subject = await scene.judge.made()
        scene.strike(Operation.CREATE)
        async with scene.client(needs_token=False) as plane:
            with pytest.raises(ControlPlaneError):
                await plane.create(subject.request)
            await plane.get(subject.workload_id)

    struck, read = (one.at for one in scene.proxy.arrivals)
    assert read - struck >= RETRY_AFTER


async def go_through(scene: Scene, operation: Operation, caplog: pytest.LogCaptureFixture) -> None:
    """Make a call while the fault goes on, and look at everything that it left behind."""
    subject = await prepare(scene.judge, operation)
    caplog.set_level(logging.DEBUG)
    scene.strike(operation)

    async with scene.client(needs_token=operation is Operation.TOKEN) as plane:
        began = loop_time()
        outcome, said = await outcome_of(plane, operation, subject)
        took = loop_time() - began

        assert outcome == scene.row.outcomes[operation]
        assert took <= DEADLINE_SECONDS
        await judge_effect(scene, operation, subject)
        judge_requests(scene, operation)
        for secret in scene.secrets:
            assert secret not in said
            assert secret not in shown(caplog)
        if scene.row.fault not in WITHOUT_TLS:
            scene.relent()
            await judge_next(scene, plane, operation, subject)


def shown(caplog: pytest.LogCaptureFixture) -> str:
    """Return what a log may show at any level: of libraries no more than warnings."""
    ours = [
        record
        for record in caplog.records
        if record.name.startswith("sweeper") or record.levelno >= logging.WARNING
    ]
    return "\n".join(logging.Formatter().format(record) for record in ours)


async def outcome_of(
    plane: ControlPlane, operation: Operation, subject: Subject
) -> tuple[str, str]:
    """Return the table's word for how a call ended, and all that was said about it."""
    try:
        await CALLS[operation](plane, subject)
    except ControlPlaneError as error:
        return word_of(error), "\n".join([*texts(error), *traceback.format_exception(error)])
    return "ok", ""


async def judge_effect(scene: Scene, operation: Operation, subject: Subject) -> None:
    """Only what was carried out before the fault struck has an effect."""
    happened = await has_effect(scene.judge, operation, subject)

    assert happened is (operation in WRITES and scene.row.moment is Moment.AFTER)


def judge_requests(scene: Scene, operation: Operation) -> None:
    """A create arrives once, other calls as often as may be, and nothing is sent elsewhere."""
    assert scene.proxy.count(operation) == scene.row.arrivals(operation)
    assert [one for one in scene.proxy.arrivals if one.operation is not operation] == []


async def judge_next(
    scene: Scene, plane: ControlPlane, operation: Operation, subject: Subject
) -> None:
    """Once nothing is wrong any more the same call does its work, and a create is found."""
    if operation is Operation.CREATE and scene.row.moment is Moment.AFTER:
        found = await plane.find(subject.request.name)
        assert [one.name for one in found] == [subject.request.name]
    elif scene.row.outcomes[operation] == "no-call" and operation in LISTINGS:
        await plane.get(subject.workload_id)
    else:
        with suppress(TrainingGoneError):
            await CALLS[operation](plane, subject)

    effective = operation in WRITES or operation is Operation.TOKEN
    assert await has_effect(scene.judge, operation, subject) is effective
