"""`sweeper local serve` as a stranger meets it: by the README's section alone."""

import asyncio
import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.daemons import PATIENCE, Daemon, Place

pytestmark = pytest.mark.acceptance

README = Path(__file__).parents[2] / "README.md"
TRAININGS = "/api/v1/workloads/trainings"


def _section() -> str:
    text = README.read_text(encoding="utf-8")
    return text.split("## A Run:ai API on this machine")[1].split("\n## ")[0]


SERVE, CURLS = re.findall(r"```sh\n(.*?)```", _section(), re.S)


async def _told(server: Daemon) -> dict[str, Any]:
    """Wait for what a server prints once it answers."""
    assert server.process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        line = await server.process.stdout.readline()
    found: dict[str, Any] = json.loads(line)
    return found


def _serve(*more: str) -> list[str]:
    return ["local", "serve", "--listen", "127.0.0.1:0", "--gpus", "8", "--json", *more]


def _client(told: dict[str, Any]) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=told["base_url"], headers={"Authorization": "Bearer secret"})


def _creation(told: dict[str, Any], **spec: Any) -> dict[str, Any]:
    places = {"projectId": told["project_id"], "clusterId": told["cluster_id"]}
    return {"name": "one", **places, "spec": spec}


async def test_every_line_of_the_readme_works(place: Place) -> None:
    command = SERVE.split()
    assert command[:3] == ["sweeper", "local", "serve"]
    command[command.index("--listen") + 1] = "127.0.0.1:0"
    async with place.run(*command[1:], "--json") as server:
        told = await _told(server)
        script = CURLS.replace("http://127.0.0.1:8080", told["base_url"])

        out = await _shell("set -eu\n" + script, place.folder)

        log, *answers = out.split("\n", 1)
        assert log == "hello there"
        decoder = json.JSONDecoder()
        texts, found = answers[0], []
        while texts:
            answer, end = decoder.raw_decode(texts)
            found.append(answer)
            texts = texts[end:].strip()
    training, listing, history, deletion = found
    assert (training["name"], training["actualPhase"]) == ("hello", "Completed")
    assert [one["name"] for one in listing["workloads"]] == ["hello"]
    assert history["records"][0]["spec"]["phaseUpdate"]["phase"] == "Creating"
    assert deletion["code"] == 202


async def _shell(script: str, folder: Path) -> str:
    shell = await asyncio.create_subprocess_exec(
        "sh", "-c", script, cwd=folder, stdout=asyncio.subprocess.PIPE, env=dict(os.environ)
    )
    async with asyncio.timeout(PATIENCE):
        out, _ = await shell.communicate()
    assert shell.returncode == 0
    return out.decode()


async def test_nothing_is_lost_when_it_is_killed(place: Place) -> None:
    os.mkfifo(place.folder / "gate")
    async with place.run(*_serve("--token", "secret")) as server:
        first = await _told(server)
        async with _client(first) as http:
            body = _creation(first, command="cat gate")
            answer = await http.post(TRAININGS, json=body)
            workload_id = answer.json()["workloadId"]
        await server.kill()

    async with place.run(*_serve("--token", "secret")) as server:
        second = await _told(server)
        async with _client(second) as http:
            training = (await http.get(f"{TRAININGS}/{workload_id}")).json()
            await http.delete(f"{TRAININGS}/{workload_id}")
        server.send(signal.SIGTERM)
        ended = await server.end()

    assert training["name"] == "one"
    same = ("RUNAI_CLIENT_ID", "RUNAI_CLIENT_SECRET")
    assert [first["environment"][key] for key in same] == [
        second["environment"][key] for key in same
    ]
    assert ended.code == 143


async def test_a_second_server_on_the_same_state_is_refused(place: Place) -> None:
    async with place.run(*_serve()) as server:
        told = await _told(server)
        address = told["base_url"].removeprefix("http://")

        same_state = await place.sweeper("local", "serve", "--listen", address)
        same_address = await place.sweeper("local", "serve", "--listen", address, "--name", "other")

    assert (same_state.code, same_address.code) == (4, 2)
    assert "another control plane has" in same_state.err
    assert "--listen" in same_address.err


async def test_who_follows_a_log_does_not_keep_the_server(place: Place) -> None:
    os.mkfifo(place.folder / "gate")
    async with place.run(*_serve("--token", "secret")) as server:
        told = await _told(server)
        async with _client(told) as http:
            body = _creation(told, command="sh -c 'echo here; exec cat gate'")
            workload_id = (await http.post(TRAININGS, json=body)).json()["workloadId"]
            path = f"/api/v1/workloads/{workload_id}/logs?follow=true"
            async with http.stream("GET", path) as answer:
                lines = answer.aiter_lines()
                assert await anext(lines) == "here"
                server.send(signal.SIGTERM)
                rest = [line async for line in lines]
        ended = await server.end()

    assert rest == []
    assert ended.code == 143


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--listen", "nowhere"], "--listen"),
        (["--name", "../x"], "--name"),
        (["--memory", "much"], "--memory"),
        (["--simulation", "x.yaml"], "--runtime simulated"),
        (["--runtime", "simulated", "--simulation", "x.yaml"], "x.yaml"),
        (["--faults", "x.yaml"], "x.yaml"),
    ],
)
async def test_what_cannot_be_used_is_named(place: Place, arguments: list[str], words: str) -> None:
    ended = await place.sweeper("local", "serve", *arguments)

    assert ended.code == 2
    assert words in ended.err
