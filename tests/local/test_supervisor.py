"""What a supervisor makes of its clients: of real ones' bytes, and of its own end."""

import asyncio
import errno
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sweeper.local import supervisor as module
from sweeper.local.journal import Journal
from sweeper.local.launching import launch, noted_socket
from sweeper.local.messages import encode, order_message
from sweeper.local.sockets import listen_at
from sweeper.local.supervised import open_supervised
from sweeper.local.supervisor import serve
from tests.local.supervising import SECONDS, Ends, Place, a_place, said, say


@pytest.fixture
def place() -> Iterator[Place]:
    with a_place() as made:
        yield made


async def tell(path: Path, data: bytes) -> bytes:
    """Send bytes, and return all that is answered until the connection is closed."""
    async with asyncio.timeout(SECONDS):
        reader, writer = await asyncio.open_unix_connection(path)
        with suppress(ConnectionError):
            writer.write(data)
            await writer.drain()
        try:
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()


HOSTILE = {
    "rubbish": b"\0\xff\n",
    "no object": b"[1, 2]\n",
    "deep": b"[" * 100_000 + b"\n",
    "endless": b"x" * 9_000_000,
    "no id": b'{"do": "known"}\n',
    "odd id": b'{"id": [], "do": "known"}\n',
    "huge id": b'{"id": 1' + b"0" * 400 + b', "do": "known"}\n',
    "unknown verb": b'{"id": 1, "do": "end the world"}\n',
    "odd verb": b'{"id": 1, "do": {"known": 1}}\n',
    "empty order": b'{"id": 1, "do": "start"}\n',
    "odd stop": b'{"id": 1, "do": "stop", "key": "a", "grace": "soon"}\n',
    "endless grace": b'{"id": 1, "do": "stop", "key": "a", "grace": Infinity}\n',
    "odd forget": b'{"id": 1, "do": "forget", "keys": "a"}\n',
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_bytes_end_their_connection_and_nothing_else(
    place: Place, data: bytes
) -> None:
    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)

        assert await tell(noted_socket(place.options), data) == b""

        await runtime.start(place.order("a", "true"))
        assert (await ends.of("a")).exit_code == 0


async def test_half_a_message_and_a_client_that_left_harm_nobody(place: Place) -> None:
    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        path = str(noted_socket(place.options))
        order = encode({"id": 1, "do": "start", **order_message(place.order("b", "true"))})
        for data in (order[:-20], order):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
                client.sendall(data)

        assert (await ends.of("b")).exit_code == 0  # whoever ordered it has long gone


async def test_many_clients_are_served_at_once(place: Place) -> None:
    async with open_supervised(place.options):
        path = noted_socket(place.options)
        connections = [await asyncio.open_unix_connection(path) for _ in range(50)]

        for number, (_, writer) in enumerate(connections):
            writer.write(encode({"id": number, "do": "known"}))

        for number, (reader, writer) in enumerate(connections):
            assert await reader.readline() == b'{"id":%d.0,"known":[]}\n' % number
            writer.close()


async def test_it_ends_with_its_last_process_once_nobody_is_connected(place: Place) -> None:
    gates = [place.fifo("one"), place.fifo("two")]
    async with open_supervised(place.options) as runtime:
        for gate in gates:
            await runtime.start(place.script(gate.name, f"cat {gate}"))
        supervisor = place.supervisor_pid()

    await say(gates[0], "")
    os.kill(supervisor, 0)
    await say(gates[1], "")

    await asyncio.to_thread(place.wait_for_its_end)
    assert list((place.root / "sockets").iterdir()) == []


async def test_it_stays_as_long_as_a_client_is_connected(place: Place) -> None:
    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        await runtime.start(place.order("a", "true"))
        await ends.of("a")
        supervisor = place.supervisor_pid()

        await runtime.start(place.order("b", "true"))
        await ends.of("b")

        assert place.supervisor_pid() == supervisor


async def test_it_kills_after_the_grace_though_the_client_has_left(place: Place) -> None:
    ready = place.fifo("ready")
    async with open_supervised(place.options) as runtime:
        await runtime.start(place.script("a", f"trap '' TERM; echo up > {ready}; sleep 1000"))
        await said(ready)
        await runtime.stop("a", 0.01)

    await asyncio.to_thread(place.wait_for_its_end)

    async with open_supervised(place.options) as runtime:
        end = (await runtime.known())["a"]
    assert end is not None
    assert end.exit_code == 137


async def test_it_says_nothing_of_what_its_processes_were_given(place: Place) -> None:
    secret = "hunter2"
    async with open_supervised(place.options) as runtime:
        ends = Ends(runtime)
        for key, argv in [("a", ("echo", secret)), ("b", ("false", secret))]:
            await runtime.start(
                place.order(key, *argv, environment={"KEY": secret, "PATH": "/bin"})
            )
            await ends.of(key)

    assert all(secret not in file.read_text() for file in place.state.iterdir())


@pytest.fixture
def path(place: Place) -> Path:
    """A state folder and a socket in it for a supervisor within the test's own process."""
    place.state.mkdir()
    return place.root / "sockets" / "s"


async def test_it_ends_when_nobody_ever_comes(
    place: Place, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FIRST_CLIENT_SECONDS", 0)

    async with asyncio.timeout(SECONDS):
        await serve(place.state, listen_at(path))

    assert list((place.root / "sockets").iterdir()) == []


async def test_a_socket_whose_file_is_gone_is_made_again(
    place: Place, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Path] = []
    is_made = asyncio.Event()

    def listen_after_trouble(at: Path) -> socket.socket:
        looks.append(at)
        if len(looks) == 1:
            raise OSError
        is_made.set()
        return listen_at(at)

    monkeypatch.setattr(module, "_LOOK_FOR_SOCKET_SECONDS", 0)
    monkeypatch.setattr(module, "listen_at", listen_after_trouble)
    listener = listen_at(path)
    path.unlink()  # noqa: ASYNC240

    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
        group.create_task(serve(place.state, listener))
        await is_made.wait()
        _, writer = await asyncio.open_unix_connection(path)
        writer.close()  # so that it ends

    assert looks == [path, path]


async def test_another_user_is_refused(
    place: Place, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "is_of_this_user", lambda _: False)

    async with asyncio.TaskGroup() as group:
        group.create_task(serve(place.state, listen_at(path)))

        assert await tell(path, encode({"id": 1, "do": "known"})) == b""


async def test_a_client_that_reads_nothing_is_dropped(
    place: Place, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_UNREAD", -1)

    async with asyncio.TaskGroup() as group:
        group.create_task(serve(place.state, listen_at(path)))

        assert await tell(path, encode({"id": 1, "do": "known"}) * 2) == b""


async def test_a_journal_that_cannot_be_written_is_told_as_unavailable(
    place: Place, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Journal, "append", refuse)

    async with asyncio.TaskGroup() as group:
        group.create_task(serve(place.state, listen_at(path)))
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(encode({"id": 1, "do": "forget", "keys": ["a"]}))

        assert b'"error":"unavailable","message":"the journal' in await reader.readline()
        writer.close()


def test_a_second_start_finds_the_first(place: Place) -> None:
    assert launch(place.options)

    assert not launch(place.options)

    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(noted_socket(place.options)))
