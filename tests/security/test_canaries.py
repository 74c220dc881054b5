"""A secret that is planted wherever one may be given shows up nowhere at all."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import httpx
import psutil

from sweeper.clock import utc_now
from sweeper.local.simulated import SimulatedRuntime
from tests.acceptance.daemons import Place
from tests.acceptance.planes import remote

IN_SPEC = "canary-in-the-spec/4711+"
VERBS = (
    *(("status", "demo"), ("show", "demo", "0"), ("ls",), ("events", "demo")),
    *(("results", "demo"), ("plan", "sweep.yaml"), ("validate", "sweep.yaml")),
)

SWEEP = (
    "name: demo",
    "method: grid",
    "parameters: {lr: {values: [0.1, 0.2]}}",
    "training:",
    "  spec:",
    "    image: registry.example.com/train:1",
    "    command: python train.py",
    "    environmentVariables:",
    f"      - {{name: API_KEY, value: {IN_SPEC}}}",
)


def spellings(secret: str) -> Iterator[bytes]:
    """Return what gives a secret away: itself, and common codes of it."""
    yield secret.encode()
    yield base64.b64encode(secret.encode()).rstrip(b"=")[:-2]
    yield base64.urlsafe_b64encode(secret.encode()).rstrip(b"=")[:-2]
    yield quote(secret, safe="").encode()
    yield json.dumps(secret)[1:-1].encode()


def all_bytes(folder: Path) -> bytes:
    return b"\0".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def of_processes(place: Place) -> bytes:
    """Return the command lines of all processes of a place."""
    seen = []
    for process in psutil.process_iter():
        try:
            if str(place.folder) in process.environ().get("SWEEPER_STATE_DIR", ""):
                seen.append("\0".join(process.cmdline()))
        except psutil.Error:
            continue
    return "\n".join(seen).encode()


async def test_no_secret_leaves_a_daemon_that_runs(place: Place) -> None:
    """Nor do the access tokens that it was given, which are JWTs."""
    file = place.sweep(*SWEEP)
    runtime = SimulatedRuntime(now=utc_now)

    async with remote(place, runtime) as there:
        secret_file = place.folder / "secret"
        secret_file.write_text(there.secret + "\n")
        secret_file.chmod(0o600)
        given = {**there.place.variables, "RUNAI_CLIENT_SECRET_FILE": str(secret_file)}
        del given["RUNAI_CLIENT_SECRET"]
        here = replace(there.place, variables=given)
        async with here.run("run", file, "--log-level", "debug") as daemon:
            line = await daemon.says("metrics and health: http://")
            await daemon.says("submitting -> active")
            url = "http://" + line.partition("http://")[2].split("/metrics")[0]
            async with httpx.AsyncClient(trust_env=False) as client:
                faces = [(await client.get(url + path)).text for path in ("/", "/metrics")]
            shown = [await here.sweeper(*verb) for verb in VERBS]
            shown += [await here.sweeper(*verb, "--json") for verb in VERBS[:5]]
            processes = of_processes(place)
            kept = all_bytes(place.state) + all_bytes(place.runtime)
            await daemon.kill()
        said = "".join([*daemon.said, *faces, *(one.out + one.err for one in shown)])

    assert b"sweeper" in processes
    assert [one.err for one in shown if one.code not in {0, 1}] == []
    for found in (said.encode(), kept, processes):
        assert len(found) > 50
        for secret in (there.secret, IN_SPEC):
            assert not [code for code in spellings(secret) if code in found]
        assert b"eyJ" not in found
