"""People are told of sweeps: real daemons, a real HTTP address, a real mail server."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.daemons import Daemon, Place, waiting_at
from tests.support.receivers import Inbox, http_inbox, mail_inbox

SECRET = "s3cr3tpassword"

_SWEEP = (
    "name: night",
    "program: train.py",
    "method: grid",
    "metric: {name: loss}",
    "parameters: {a: {values: [1, 2]}}",
    "limits: {active: 1}",
)
_REPORTS = "import sys, sweeper\nsweeper.report(loss=float(sys.argv[1].split('=')[1]) / 8)\n"
_ALL = "about: [started, finished, stopped, needs-a-person, failed]"


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with http_inbox() as opened:
        yield opened


def hook(place: Place, inbox: Inbox) -> str:
    """Name the inbox in the environment; return what the sweep file says of it."""
    address = f"json://user:{SECRET}@127.0.0.1:{inbox.port}/{SECRET}/"
    place.variables = {**place.variables, "HOOK": address}
    return f"notify: [{{env: HOOK, {_ALL}}}]"


def number_of(message: dict[str, Any]) -> str:
    """Return the number that a message has at its end."""
    return str(message["message"].rsplit("notice ", 1)[1])


def holding(folder: Path, secret: str) -> list[Path]:
    """Return the files that hold a secret."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return [path for path in files if secret.encode() in path.read_bytes()]


async def events_of(place: Place) -> str:
    """Return what the events of the sweep say."""
    return (await place.sweeper("events", "night")).out


async def test_start_and_end_are_told_with_the_results(place: Place, inbox: Inbox) -> None:
    place.script(_REPORTS)

    ended = await place.sweeper("run", place.sweep(*_SWEEP, hook(place, inbox)))

    assert ended.code == 0, ended.err
    assert inbox.subjects == ["sweep night: started", "sweep night: finished, 2 completed"]
    told = inbox.messages[-1]["message"]
    assert "best loss 0.125 (trial 0): a=1" in told
    assert "1   completed   2    0.25" in told
    assert "`sweeper results night`" in told


async def test_the_address_is_nowhere_but_with_its_receiver(place: Place, inbox: Inbox) -> None:
    place.script("import os\nprint(sorted(os.environ), dict(os.environ))\n")
    file = place.sweep(*_SWEEP, hook(place, inbox))
    inbox.answer = 500
    place.variables = {**place.variables, "SWEEPER_LOG_LEVEL": "debug"}

    ended = await place.sweeper("run", file, "--log-file", place.folder / "sweeper.log")
    shown = [await place.sweeper(verb, "night") for verb in ("events", "show", "status")]

    assert inbox.requests > 0
    assert "the service answered 500" in ended.err
    assert SECRET not in "".join(one.out + one.err for one in (ended, *shown))
    assert holding(place.folder, SECRET) == []


async def test_a_dead_receiver_fails_no_sweep_and_is_told_at_the_next_start(
    place: Place, inbox: Inbox
) -> None:
    place.script("")
    file = place.sweep(*_SWEEP, hook(place, inbox))
    inbox.answer = 503

    ended = await place.sweeper("run", file)
    inbox.answer = 200
    again = await place.sweeper("run", file)

    assert (ended.code, again.code) == (0, 0), again.err
    assert sorted(inbox.subjects) == [
        "sweep night: finished, 2 completed",
        "sweep night: started",
    ]


async def test_what_one_receiver_does_not_take_is_not_sent_again_to_the_others(
    place: Place, inbox: Inbox
) -> None:
    place.script("")

    with http_inbox() as dead:
        dead.answer = 503
        hook(place, inbox)
        place.variables = {**place.variables, "DEAD": f"json://127.0.0.1:{dead.port}/"}
        file = place.sweep(*_SWEEP, "notify: [{env: DEAD}, {env: HOOK}]")
        codes = [(await place.sweeper("run", file)).code for _ in range(2)]
        dead.answer = 200
        await place.sweeper("run", file)

    assert codes == [0, 0]
    assert inbox.subjects == dead.subjects == ["sweep night: finished, 2 completed"]


async def test_a_kill_between_sending_and_writing_so_repeats_the_notice_under_its_number(
    place: Place, inbox: Inbox
) -> None:
    place.script("")
    file = place.sweep(*_SWEEP, hook(place, inbox))
    victims: list[Daemon] = []

    def kill(message: dict[str, Any]) -> None:
        if "finished" in message["title"] and victims:
            victims.pop().send(signal.SIGKILL)

    inbox.on_arrival = kill
    async with place.run("run", file) as daemon:
        victims.append(daemon)
        killed = await daemon.end()
    again = await place.sweeper("run", file)
    once_more = await place.sweeper("run", file)

    finished = [message for message in inbox.messages if "finished" in message["title"]]
    assert (killed.code, again.code, once_more.code) == (-signal.SIGKILL, 0, 0)
    assert len(finished) == 2
    assert number_of(finished[0]) == number_of(finished[1])
    assert (await events_of(place)).count("finished") > 0


async def test_failures_and_the_stop_they_bring_are_told(place: Place, inbox: Inbox) -> None:
    place.script("raise SystemExit(3)")
    lines = [line for line in _SWEEP if not line.startswith("limits")]

    ended = await place.sweeper(
        "run", place.sweep(*lines, "limits: {active: 1, failures: 1}", hook(place, inbox))
    )

    assert ended.code == 1
    assert inbox.subjects == [
        "sweep night: started",
        "sweep night: trial 0: active -> failed: application: exit code 3",
        "sweep night: stopped: 1 trial failed (limits.failures: 1)",
    ]


async def test_a_deadline_is_told_while_the_last_trial_goes_on(place: Place, inbox: Inbox) -> None:
    os.mkfifo(place.folder / "gate")
    place.script("open('gate').readline()")
    told = hook(place, inbox)
    lines = [line for line in _SWEEP if not line.startswith("limits")]

    async with place.run("run", place.sweep(*lines, "limits: {active: 1}", told)) as daemon:
        gate = await waiting_at(place.folder / "gate")
        daemon.send(signal.SIGTERM)
        await daemon.end()
    file = place.sweep(*lines, "limits: {active: 1, deadline: 1s}", told)
    heard, loop = asyncio.Event(), asyncio.get_running_loop()

    def hear(message: dict[str, Any]) -> None:
        loop.call_soon_threadsafe(heard.set)

    inbox.on_arrival = hear
    async with place.run("run", file) as daemon:
        await heard.wait()
        os.write(gate, b"go\n")
        os.close(gate)
        ended = await daemon.end()

    assert ended.code == 0, ended.err
    assert inbox.subjects == [
        "sweep night: started",
        "sweep night: deadline reached, 1 active, 1 waiting",
        "sweep night: finished, 1 completed, 1 waiting",
    ]


async def test_the_end_comes_by_mail_from_an_address_in_a_file(place: Place) -> None:
    place.script(_REPORTS)
    secret = place.folder / "mail.url"

    async with mail_inbox() as inbox:
        secret.touch(mode=0o600)
        secret.write_text(
            f"mailto://127.0.0.1:{inbox.port}?from=sweeper@example.com&to=me@example.com\n"
        )
        file = place.sweep(*_SWEEP, "notify: [{file: mail.url, about: [finished]}]")
        ended = await place.sweeper("run", file)

    assert ended.code == 0, ended.err
    (mail,) = inbox.messages
    assert (mail["title"], mail["to"]) == (
        "sweep night: finished, 2 completed",
        ["me@example.com"],
    )
    assert "best loss 0.125 (trial 0): a=1" in mail["message"]


async def test_an_address_that_is_not_there_is_refused_before_anything_starts(
    place: Place,
) -> None:
    place.script("")

    ended = await place.sweeper("run", place.sweep(*_SWEEP, "notify: [{env: HOOK}]"))

    assert ended.code == 2
    assert "HOOK is not set" in ended.err
    assert not place.state.exists()


async def test_a_cancel_without_a_daemon_is_told(place: Place, inbox: Inbox) -> None:
    os.mkfifo(place.folder / "gate")
    place.script("open('gate').readline()")
    file = place.sweep(*_SWEEP, hook(place, inbox))
    async with place.run("run", file) as daemon:
        gate = await waiting_at(place.folder / "gate")
        daemon.send(signal.SIGTERM)
        await daemon.end()

    ended = await place.sweeper("cancel", "night")
    os.close(gate)

    assert ended.code == 0, ended.err
    assert inbox.subjects == [
        "sweep night: started",
        "sweep night: cancelled, 1 waiting",
    ]


async def test_a_person_can_try_who_would_be_told(place: Place, inbox: Inbox) -> None:
    file = place.sweep(*_SWEEP, hook(place, inbox))

    well = await place.sweeper("notify", file)
    inbox.answer = 401
    badly = await place.sweeper("notify", file)

    assert (well.code, well.out) == (0, "HOOK: sent\n")
    assert (badly.code, badly.err) == (1, "HOOK: not sent: the service answered 401\n")
    assert inbox.subjects == ["sweep night: a test"]
