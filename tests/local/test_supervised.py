import asyncio
import os
import select
import signal
import sys
from collections.abc import Iterator

import pytest

from sweeper.local.launching import noted_socket
from sweeper.local.runtime import (
    LeaseTakenError,
    ProcessEnd,
    RuntimeUnavailableError,
    StartError,
)
from sweeper.local.supervised import open_supervised
from tests.local.supervising import SECONDS, Ends, Place, a_place, said, say
from tests.support.builders import NOW


@pytest.fixture
def place() -> Iterator[Place]:
    with a_place() as made:
        yield made


async def test_a_process_runs_where_and_with_what_was_ordered(place: Place) -> None:
    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        order = place.order("a", "env", environment={"PATH": os.environ["PATH"], "x": "\udcff"})

        await runtime.start(order)

        end = await ends.of("a")
        assert end.exit_code == 0
        assert await runtime.known() == {"a": end}
    log = place.root / "logs" / "a.log"
    assert log.read_bytes() == f"PATH={os.environ['PATH']}\nx=".encode() + b"\xff\n"
    assert log.stat().st_mode & 0o777 == 0o600


async def test_output_is_appended_and_input_is_empty(place: Place) -> None:
    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        first = place.script("a", "cat; echo one; echo two >&2; pwd")

        await runtime.start(first)
        await ends.of("a")
        log = place.root / "logs" / "a.log"
        log.write_text("before\n" + place.log("a"), encoding="utf-8")

    assert place.log("a") == f"before\none\ntwo\n{place.root}\n"


@pytest.mark.parametrize(
    ("script", "code"), [("exit 7", 7), ("kill -9 $$", 137), ("kill -15 $$", 143)]
)
async def test_an_end_tells_the_exit_code_or_the_signal(
    place: Place, script: str, code: int
) -> None:
    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)

        await runtime.start(place.script("a", script))

        assert (await ends.of("a")).exit_code == code


async def test_a_process_gets_no_descriptors_and_no_blocked_or_ignored_signals(
    place: Place,
) -> None:
    script = "ls -l /proc/self/fd | grep -c ' -> '; grep -E 'Sig(Blk|Ign)' /proc/self/status"
    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)

        await runtime.start(place.script("a", script))

        await ends.of("a")
    # Standard input, output and error, and the folder that ls reads.
    count, _, blocked, _, ignored = place.log("a").split()
    assert (count, blocked) == ("4", "0" * 16)
    # Those of glibc itself (32, 33) no program can set; whoever started us may ignore them.
    assert int(ignored, 16) & ~(0b11 << 31) == 0


async def test_the_same_order_again_starts_nothing(place: Place) -> None:
    gate = place.fifo("gate")
    order = place.script("a", f"echo started; cat {gate}")
    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)

        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(runtime.start(order))
        await runtime.start(order)
        assert await runtime.known() == {"a": None}
        await say(gate, "")
        await ends.of("a")
        await runtime.start(order)

    assert place.log("a") == "started\n"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("no-such-program",), "was not found (looked in PATH: "),
        (("./no-such-program",), "does not exist (looked for "),
        (("./plain.txt",), "is not executable (chmod +x"),
        (("plain.txt",), "was not found"),
        (("./odd",), "No such file or directory; a script's first line names what runs it"),
        (("./empty",), "Exec format error; a script's first line"),
        (("echo", "a\0b"), "NUL character"),
        (("echo", "\ud800"), "text that is no text"),
        (("echo", "x" * 300_000), "Argument list too long"),
        (("echo", "x" * 9_000_000), "which is too much"),
    ],
)
async def test_what_cannot_be_started_says_why(
    place: Place, argv: tuple[str, ...], message: str
) -> None:
    (place.root / "plain.txt").write_text("", encoding="utf-8")
    for name, text in [("odd", "#!/no/such/interpreter\n"), ("empty", "")]:
        (place.root / name).write_text(text, encoding="utf-8")
        (place.root / name).chmod(0o700)
    async with open_supervised(place.options) as runtime:
        order = place.order("a", *argv)

        with pytest.raises(StartError) as raised:
            await runtime.start(order)

        assert message in str(raised.value)
        assert await runtime.known() == {}


async def test_a_start_that_failed_may_be_ordered_again(place: Place) -> None:
    program = place.root / "odd"
    program.write_text("#!/no/such/interpreter\n", encoding="utf-8")
    program.chmod(0o700)
    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        order = place.order("a", "./odd")
        with pytest.raises(StartError):
            await runtime.start(order)

        program.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
        await runtime.start(order)

        assert (await ends.of("a")).exit_code == 3
        assert len(ends.heard) == 1


async def test_a_stopped_process_gets_sigterm_and_may_end_by_itself(place: Place) -> None:
    ready = place.fifo("ready")
    script = f"trap 'exit 5' TERM; echo up > {ready}; sleep 1000 & wait"
    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        await runtime.start(place.script("a", script))
        await said(ready)

        await runtime.stop("a", 1000)

        assert (await ends.of("a")).exit_code == 5


async def test_a_process_that_ignores_sigterm_is_killed_after_the_grace(place: Place) -> None:
    ready = place.fifo("ready")
    script = f"trap '' TERM; echo up > {ready}; sleep 1000"
    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        await runtime.start(place.script("a", script))
        await said(ready)

        await runtime.stop("a", 0.01)

        assert (await ends.of("a")).exit_code == 137


async def test_a_shorter_grace_shortens_a_longer_one(place: Place) -> None:
    ready = place.fifo("ready")
    script = f"trap '' TERM; echo up > {ready}; sleep 1000"
    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        await runtime.start(place.script("a", script))
        await said(ready)

        await runtime.stop("a", 1000)
        await runtime.stop("a", 2000)
        await runtime.stop("a", 0.01)

        assert (await ends.of("a")).exit_code == 137


async def test_no_grace_kills_at_once_and_stopping_again_does_nothing(place: Place) -> None:
    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        await runtime.start(place.script("a", "trap '' TERM; sleep 1000"))

        await runtime.stop("a", 0)
        await runtime.stop("a", 0)

        assert (await ends.of("a")).exit_code == 137
        await runtime.stop("a", 0)
        await runtime.stop("never started", 0)
        assert set(await runtime.known()) == {"a"}


LEFTOVERS = {
    "in its group": "sleep 1000 > {pipe} &",
    "in a group of its own": "timeout 1000 sleep 1000 > {pipe} &",
    "twice forked": "(sleep 1000 > {pipe} &) &",
}


@pytest.mark.parametrize("leftover", LEFTOVERS.values(), ids=LEFTOVERS.keys())
async def test_nothing_of_a_process_survives_its_end(place: Place, leftover: str) -> None:
    pipe = place.fifo("pipe")
    script = f"{leftover.format(pipe=pipe)} read line < {place.fifo('gate')}"
    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        await runtime.start(place.script("a", script))
        open_pipe = await asyncio.to_thread(os.open, pipe, os.O_RDONLY)  # waits for its writer
        try:
            await say(place.root / "gate", "go\n")

            await ends.of("a")

            os.set_blocking(open_pipe, False)
            assert os.read(open_pipe, 1) == b""  # nobody is left who could write
        finally:
            os.close(open_pipe)


async def test_a_daemon_of_a_process_that_goes_on_is_left_alone_and_reaped(place: Place) -> None:
    pipe, gate = place.fifo("pipe"), place.fifo("gate")
    script = f"(setsid sh -c 'echo $$ > {pipe}; read line < {gate}' &) ; sleep 1000"
    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        await runtime.start(place.script("a", script))
        daemon = os.pidfd_open(pid := int(await said(pipe)))

        await say(gate, "go\n")

        await asyncio.to_thread(select.select, [daemon], [], [], SECONDS)
        os.close(daemon)
        assert await runtime.known() == {"a": None}
        await runtime.stop("a", 0)
        await ends.of("a")  # when one end is heard of, all are
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_forgotten_ends_are_gone_and_what_runs_is_not(place: Place) -> None:
    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        await runtime.start(place.order("a", "true"))
        await runtime.start(place.order("b", "sleep", "1000"))
        await ends.of("a")

        await runtime.forget(["a", "b", "never started"])

        assert await runtime.known() == {"b": None}


async def test_leaving_leaves_processes_alone_and_the_next_client_adopts_them(
    place: Place,
) -> None:
    gate = place.fifo("gate")
    async with open_supervised(place.options) as runtime:
        await runtime.start(place.script("a", f"read code < {gate}; exit $code"))

    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        assert await runtime.known() == {"a": None}
        await say(gate, "9\n")

        assert (await ends.of("a")).exit_code == 9


async def test_an_end_while_nobody_is_connected_is_known_to_the_next_client(
    place: Place,
) -> None:
    gate = place.fifo("gate")
    async with open_supervised(place.options) as runtime:
        await runtime.start(place.script("a", f"read code < {gate}; exit $code"))
    await say(gate, "9\n")
    await asyncio.to_thread(place.wait_for_its_end)

    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        known = await runtime.known()

    assert known["a"] is not None
    assert known["a"].exit_code == 9
    assert ends.heard == []


async def test_processes_outlive_a_client_killed_with_its_whole_group(place: Place) -> None:
    gate = place.fifo("gate")
    client = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.local.ordering", str(place.root)),
        f"read code < {gate}; exit $code",
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert client.stdout is not None
    assert await client.stdout.readline() == b"started\n"
    os.killpg(client.pid, signal.SIGKILL)
    await client.wait()

    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        assert await runtime.known() == {"a": None}
        await say(gate, "9\n")

        assert (await ends.of("a")).exit_code == 9


async def test_signals_that_ask_to_end_do_not_end_a_supervisor(place: Place) -> None:
    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(place.supervisor_pid(), number)

        await runtime.start(place.order("a", "false"))
        assert (await ends.of("a")).exit_code == 1


async def test_processes_of_a_killed_supervisor_are_killed_and_told_as_lost(
    place: Place,
) -> None:
    pipe = place.fifo("pipe")
    script = f"sleep 1000 > {pipe} & sleep 1000"
    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        await runtime.start(place.script("a", script))
        open_pipe = await asyncio.to_thread(os.open, pipe, os.O_RDONLY)
        first = place.supervisor_pid()

        os.kill(first, signal.SIGKILL)

        assert await ends.of("a") == ProcessEnd(key="a", at=NOW, exit_code=None)
        assert await asyncio.to_thread(os.read, open_pipe, 1) == b""
        os.close(open_pipe)
        assert place.supervisor_pid() != first
        await runtime.start(place.script("a again", "exit 4"))
        assert (await ends.of("a again")).exit_code == 4
    assert [end.key for end in ends.heard] == ["a", "a again"]


async def test_what_was_lost_before_the_first_connection_is_known_not_told(place: Place) -> None:
    async with open_supervised(place.options) as runtime:
        await runtime.start(place.order("a", "sleep", "1000"))
        os.kill(place.supervisor_pid(), signal.SIGKILL)
    await asyncio.to_thread(place.wait_for_its_end)

    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)

        assert await runtime.known() == {"a": ProcessEnd(key="a", at=NOW, exit_code=None)}
    assert ends.heard == []


async def test_calls_wait_for_the_next_supervisor(place: Place) -> None:
    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        os.kill(place.supervisor_pid(), signal.SIGKILL)

        await runtime.start(place.order("a", "true"))

        assert (await ends.of("a")).exit_code == 0


async def test_two_clients_share_one_supervisor_and_both_hear_an_end(place: Place) -> None:
    async with open_supervised(place.options) as one, open_supervised(place.options) as other:
        ends = [Ends(one), Ends(other)]

        await one.start(place.order("a", "true"))
        await other.start(place.order("a", "true"))

        assert await ends[0].of("a") == await ends[1].of("a")
        assert await one.known() == await other.known()


async def test_clients_that_come_at_once_start_one_supervisor(place: Place) -> None:
    async def look() -> int:
        async with open_supervised(place.options) as runtime:
            await barrier.wait()
            await runtime.known()
            return place.supervisor_pid()

    barrier = asyncio.Barrier(4)
    async with asyncio.TaskGroup() as group:
        looks = [group.create_task(look()) for _ in range(4)]

    assert len({task.result() for task in looks}) == 1


async def test_a_leased_file_is_refused_to_another_control_plane(place: Place) -> None:
    lock = str(place.root / "leases" / "gpu-0")
    with a_place() as elsewhere:
        async with (
            open_supervised(place.options) as ours,
            open_supervised(elsewhere.options) as theirs,
        ):
            ends = Ends(ours)
            await ours.start(place.order("a", "sleep", "1000", locks=(lock,)))
            await ours.start(place.order("b", "sleep", "1000", locks=(lock, lock)))

            with pytest.raises(LeaseTakenError, match="gpu-0 is locked by another"):
                await theirs.start(elsewhere.order("c", "true", locks=(lock,)))

            await ours.stop("a", 0)
            await ends.of("a")
            with pytest.raises(LeaseTakenError):
                await theirs.start(elsewhere.order("c", "true", locks=(lock,)))
            await ours.stop("b", 0)
            await ends.of("b")
            await theirs.start(elsewhere.order("c", "true", locks=(lock,)))


async def test_a_lease_lasts_as_long_as_any_process_that_inherited_it(place: Place) -> None:
    lock = str(place.root / "gpu-0")
    pipe = place.fifo("pipe")
    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        script = f"setsid sh -c 'echo $$ > {pipe}; exec sleep 1000' & wait"
        await runtime.start(place.script("a", script, locks=(lock,)))
        escaped = int(await said(pipe))
        await runtime.stop("a", 0)
        await ends.of("a")

        with pytest.raises(LeaseTakenError):
            await runtime.start(place.order("b", "true", locks=(lock,)))

        os.kill(escaped, signal.SIGKILL)


async def test_a_start_that_fails_keeps_no_lease(place: Place) -> None:
    lock = str(place.root / "gpu-0")
    with a_place() as elsewhere:
        async with (
            open_supervised(place.options) as ours,
            open_supervised(elsewhere.options) as theirs,
        ):
            with pytest.raises(StartError):
                await ours.start(place.order("a", "no-such-program", locks=(lock,)))

            await theirs.start(elsewhere.order("b", "true", locks=(lock,)))


async def test_an_error_of_the_body_leaves_as_it_is(place: Place) -> None:
    with pytest.raises(KeyError):
        async with open_supervised(place.options):
            raise KeyError


async def test_a_state_folder_that_cannot_be_made_is_told_at_once(place: Place) -> None:
    place.root.joinpath("state").write_text("in the way", encoding="utf-8")

    with pytest.raises(RuntimeUnavailableError, match=r"no supervisor can be started: .*state"):
        async with open_supervised(place.options):
            pass

    place.root.joinpath("state").unlink()


async def test_a_supervisor_that_hangs_makes_calls_unavailable(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_supervised(place.options) as runtime:
        supervisor = place.supervisor_pid()
        os.kill(supervisor, signal.SIGSTOP)
        monkeypatch.setattr("sweeper.local.supervised._CALL_SECONDS", 0.01)

        with pytest.raises(RuntimeUnavailableError, match=r"does not answer; see .*\.log"):
            await runtime.known()
        with pytest.raises(RuntimeUnavailableError):
            async with open_supervised(place.options):
                pass

        os.kill(supervisor, signal.SIGCONT)


async def test_one_hundred_short_processes_all_end(place: Place) -> None:
    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        slots = asyncio.Semaphore(8)

        async def run(key: str) -> ProcessEnd:
            async with slots:
                await runtime.start(place.order(key, "true"))
                return await ends.of(key)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run(f"{number}")) for number in range(100)]

        assert [task.result().exit_code for task in tasks] == [0] * 100


async def test_a_socket_at_the_noted_place_is_found_with_other_settings(place: Place) -> None:
    async with open_supervised(place.options) as runtime:
        await runtime.start(place.order("a", "sleep", "1000"))
        moved = Place(place.root)
        object.__setattr__(moved.options, "socket_directory", place.root / "elsewhere")

        async with open_supervised(moved.options) as other:
            assert await other.known() == {"a": None}

        assert noted_socket(moved.options).parent == place.root / "sockets"
