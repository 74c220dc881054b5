"""A supervisor that is killed anywhere in a start: at most one process, and none forgotten."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from sweeper.local.runtime import ProcessEnd
from sweeper.local.supervised import open_supervised
from tests.local.supervising import Ends, Place, a_place
from tests.support.builders import NOW

LOST = {"a": ProcessEnd(key="a", at=NOW, exit_code=None)}


@pytest.fixture
def place() -> Iterator[Place]:
    with a_place() as made:
        yield made


def die(place: Place, point: str) -> None:
    """Start a process `a` as far as `point`; return when everybody involved is gone."""
    read_end, write_end = os.pipe()
    subprocess.run(
        [sys.executable, "-m", "tests.local.dying", str(place.root), point, str(write_end)],
        pass_fds=[write_end],
        check=False,
    )
    os.close(write_end)
    assert os.read(read_end, 1) == b""
    os.close(read_end)


@pytest.mark.parametrize(
    ("point", "log"), [("forked", ""), ("recorded", ""), ("released", "ran\n")]
)
def test_a_process_runs_its_program_only_once_its_start_is_recorded(
    place: Place, point: str, log: str
) -> None:
    die(place, point)

    assert place.log("a") == log


@pytest.mark.parametrize(
    ("point", "known"), [("forked", {}), ("recorded", LOST), ("released", LOST)]
)
async def test_a_process_that_may_have_run_is_known_as_lost(
    place: Place, point: str, known: dict[str, ProcessEnd]
) -> None:
    await asyncio.to_thread(die, place, point)

    async with open_supervised(place.options) as runtime:
        assert await runtime.known() == known


@pytest.mark.parametrize(
    ("point", "log"), [("forked", "ran\n"), ("recorded", ""), ("released", "ran\n")]
)
async def test_the_same_order_repeated_runs_at_most_once(
    place: Place, point: str, log: str
) -> None:
    await asyncio.to_thread(die, place, point)

    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        await runtime.start(place.script("a", "echo ran"))
        if point == "forked":
            await ends.of("a")

    assert place.log("a") == log
