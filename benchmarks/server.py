"""The local control plane's speed and size, beside a bare Starlette application in the same run.

    python benchmarks/server.py [--requests 1000] [--workloads 10000]

Requests per second of create, get and list with 1, 8 and 64 clients at once, the time from the
start of the process to its first answer, and the memory with all simulated trainings in it. The
peer reads and answers the same JSON from memory; the control plane checks it against the whole
contract, schedules it and writes it to disk, and the ratios say what that costs.
"""

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import psutil

TRAININGS = "/api/v1/workloads/trainings"
CREDENTIALS = ("--client-id", "bench", "--client-secret", "bench")
AT_ONCE = (1, 8, 64)
ENDLESS = "duration: {kind: fixed, seconds: 86400}\n"


def peer(socket_number):
    """Serve the bare application on a socket that is open already."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    kept = {}

    async def create(request):
        kept["last"] = await request.json()
        return JSONResponse(kept["last"], 202)

    async def get(_request):
        return JSONResponse(kept["last"])

    async def page(_request):
        return JSONResponse({"workloads": [kept["last"]] * 50})

    routes = [
        Route(TRAININGS, create, methods=["POST"]),
        Route(f"{TRAININGS}/{{workload_id}}", get),
        Route("/api/v1/workloads", page),
    ]
    settings = uvicorn.Config(
        Starlette(routes=routes), log_level="error", loop="asyncio", http="h11"
    )
    # uvicorn's own way to take a socket would leave it with Nagle's algorithm on.
    uvicorn.Server(settings).run(sockets=[socket.socket(fileno=socket_number)])


@contextmanager
def started(command, **options):
    """Start a server while the block lasts; yield the process."""
    process = subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        **options,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


@contextmanager
def peer_started():
    """Start the peer; yield its process, its port and how long its first answer took."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen(256)
        port = bound.getsockname()[1]
        number = bound.fileno()
        began = time.perf_counter()
        command = [__file__, "--peer", str(number)]
        with started(command, pass_fds=[number]) as process:
            asyncio.run(Client.once(port, "GET", "/nothing"))
            yield process, port, time.perf_counter() - began


@contextmanager
def plane_started(folder):
    """Start the control plane; yield the same."""
    plan = folder / "simulation.yaml"
    plan.write_text(ENDLESS)
    began = time.perf_counter()
    place = ("--listen", "127.0.0.1:0", "--state-dir", str(folder / "state"), "--json")
    simulated = ("--runtime", "simulated", "--simulation", str(plan))
    command = ["-m", "sweeper", "local", "serve", *place, *simulated, *CREDENTIALS]
    with started(command) as process:
        said = json.loads(process.stdout.readline())
        port = int(said["base_url"].rpartition(":")[2])
        asyncio.run(Client.once(port, "GET", "/nothing"))
        yield process, port, time.perf_counter() - began


class Client:
    """One connection that is kept: HTTP as plain as it gets, so that the servers are measured."""

    def __init__(self, reader, writer, token):
        self._reader, self._writer, self._token = reader, writer, token

    @classmethod
    async def open(cls, port, token=""):
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port), token)

    @classmethod
    async def once(cls, port, method, path, body=None):
        """Send one request over a connection of its own."""
        client = await cls.open(port)
        try:
            return await client.request(method, path, body)
        finally:
            client.close()

    async def request(self, method, path, body=None):
        """Send a request; return status and body of its answer."""
        content = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self._token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        self._writer.write(head.encode() + content)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        return int(answer.split(b" ", 2)[1]), await self._reader.readexactly(length)

    def close(self):
        """Close the connection."""
        self._writer.close()


async def rate(port, token, requests, at_once):
    """Return how many of `requests` (method, path, body) a server answers a second."""
    clients = [await Client.open(port, token) for _ in range(at_once)]
    ahead = iter(requests)

    async def work(client):
        for method, path, body in ahead:
            status, answer = await client.request(method, path, body)
            if status >= 300:
                raise RuntimeError(f"{method} {path}: {status} {answer[:200]}")

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(work(client))
    seconds = time.perf_counter() - began
    for client in clients:
        client.close()
    return len(requests) / seconds


def create(number):
    """Return the request of a create."""
    spec = {
        "image": "registry.example.com/train:1",
        "command": "python train.py",
        "args": f"--lr 0.{number}",
        "environmentVariables": [{"name": "TRIAL", "value": str(number)}],
        "labels": [{"name": "trial", "value": str(number)}],
        "compute": {"cpuCoreRequest": 0.5, "cpuMemoryRequest": "100Mi"},
    }
    place = {"projectId": "1", "clusterId": "5eeb0000-10ca-4000-8000-000000000001"}
    return "POST", TRAININGS, {"name": f"bench-{number}", **place, "spec": spec}


async def measured(port, token, options, first):
    """Return requests a second by kind and by how many clients there are at once."""
    _, content = await first_training(port, token)
    workload_id = json.loads(content).get("workloadId", "any")
    rates, number = {}, first
    for at_once in AT_ONCE:
        creates = [create(number + index) for index in range(options.requests)]
        number += options.requests
        gets = [("GET", f"{TRAININGS}/{workload_id}", None)] * options.requests
        lists = [("GET", "/api/v1/workloads?limit=50", None)] * (options.requests // 10)
        for kind, requests in (("create", creates), ("get", gets), ("list", lists)):
            rates[f"{kind}_{at_once}"] = round(await rate(port, token, requests, at_once), 1)
    return rates


async def first_training(port, token):
    """Create one training, to be got again and again."""
    client = await Client.open(port, token)
    try:
        return await client.request(*create(0))
    finally:
        client.close()


async def filled(port, token, count, first):
    """Create trainings until the server has `count`; those below `first` are there."""
    await rate(port, token, [create(number) for number in range(first, count)], 8)


def memory(process):
    """Return a process's resident memory in MiB."""
    return psutil.Process(process.pid).memory_info().rss / 2**20


def measure_peer(options):
    """Measure the bare application."""
    with peer_started() as (process, port, first_answer):
        rates = asyncio.run(measured(port, "", options, 1))
        return {"rates": rates, "first_answer": first_answer, "memory": memory(process)}


def measure_plane(options):
    """Measure the control plane."""
    with (
        tempfile.TemporaryDirectory() as name,
        plane_started(Path(name)) as (process, port, first_answer),
    ):
        empty = memory(process)
        form = {"grantType": "client_credentials", "clientId": "bench", "clientSecret": "bench"}
        _, content = asyncio.run(Client.once(port, "POST", "/api/v1/token", form))
        token = json.loads(content)["accessToken"]
        rates = asyncio.run(measured(port, token, options, 1))
        there = 1 + len(AT_ONCE) * options.requests
        asyncio.run(filled(port, token, max(options.workloads, there), there))
        return {
            "rates": rates,
            "first_answer": first_answer,
            "memory_empty": empty,
            "memory": memory(process),
            "workloads": max(options.workloads, there),
        }


def main():
    """Measure both and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--workloads", type=int, default=10_000)
    parser.add_argument("--peer", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer is not None:
        peer(options.peer)
        return
    bare, own = measure_peer(options), measure_plane(options)
    print(
        json.dumps(
            {
                "requests_per_second": own["rates"],
                "ratio": {
                    kind: round(own["rates"][kind] / bare["rates"][kind], 3)
                    for kind in own["rates"]
                },
                "first_answer_seconds": round(own["first_answer"], 2),
                "first_answer_ratio": round(own["first_answer"] / bare["first_answer"], 2),
                "workloads": own["workloads"],
                "memory_mib": round(own["memory"], 1),
                "memory_kib_a_workload": round(
                    (own["memory"] - own["memory_empty"]) * 1024 / own["workloads"], 2
                ),
                "memory_ratio": round(own["memory"] / bare["memory"], 2),
            }
        )
    )


if __name__ == "__main__":
    main()
