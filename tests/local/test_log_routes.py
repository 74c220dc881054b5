from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sweeper.local.log_routes import offset_of_tail
from tests.local.planes import WORKLOADS, Client, World, world


@pytest.fixture
async def there(tmp_path: Path) -> World:
    return world(tmp_path)


@pytest.fixture
async def client(there: World) -> AsyncIterator[Client]:
    async with there.open() as client:
        yield client


def wrote(there: World, text: str) -> None:
    """Let the training have written more."""
    file = Path(there.runtime.orders[0].log_file)
    file.parent.mkdir(exist_ok=True)
    with file.open("a") as opened:
        opened.write(text)


async def read(client: Client, workload_id: str, query: str = "") -> str:
    answer = await client.http.get(f"{WORKLOADS}/{workload_id}/logs?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    return answer.text


async def test_the_log_is_what_was_printed(there: World, client: Client) -> None:
    workload_id = await client.create()
    await client.until(workload_id, "Running")
    wrote(there, "one\ntwo\nthree")

    assert await read(client, workload_id) == "one\ntwo\nthree"
    assert await read(client, workload_id, "tail=2") == "two\nthree"
    assert await read(client, workload_id, "tail=0") == ""


async def test_a_training_that_never_ran_has_an_empty_log(client: Client) -> None:
    workload_id = await client.create(compute={"gpuDevicesRequest": 1})

    assert await read(client, workload_id) == ""
    assert await read(client, workload_id, "tail=5") == ""


async def test_following_ends_with_the_training(there: World, client: Client) -> None:
    workload_id = await client.create()
    await client.until(workload_id, "Running")
    wrote(there, "x" * 100_000)
    there.runtime.end(there.runtime.running[0])

    assert await read(client, workload_id, "follow=true") == "x" * 100_000


async def test_following_ends_with_the_control_plane(client: Client) -> None:
    workload_id = await client.create()
    await client.until(workload_id, "Running")
    assert client.plane is not None
    client.plane.closing.set()

    assert await read(client, workload_id, "follow=true") == ""


@pytest.mark.parametrize("query", ["follow=maybe", "tail=-1", "tail=x", "tail=1000001"])
async def test_what_makes_no_sense_is_400(client: Client, query: str) -> None:
    workload_id = await client.create()

    answer = await client.http.get(f"{WORKLOADS}/{workload_id}/logs?{query}")

    assert answer.status_code == 400


async def test_no_workload_has_no_log(client: Client) -> None:
    answer = await client.http.get(f"{WORKLOADS}/7/logs")

    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("text", "lines", "rest"),
    [
        ("a\nb\nc\n", 1, "c\n"),
        ("a\nb\nc\n", 3, "a\nb\nc\n"),
        ("a\nb\nc\n", 9, "a\nb\nc\n"),
        ("a\n\n\n", 2, "\n\n"),
        ("", 3, ""),
        ("y" * 70_000 + "\n" + "z" * 70_000 + "\n", 1, "z" * 70_000 + "\n"),
        ("y\n" * 70_000, 65_000, "y\n" * 65_000),
    ],
    ids=["one", "all", "more", "empty lines", "empty", "long lines", "many lines"],
)
def test_a_tail_begins_with_a_line(tmp_path: Path, text: str, lines: int, rest: str) -> None:
    file = tmp_path / "log"
    file.write_text(text)

    assert text[offset_of_tail(file, lines) :] == rest
