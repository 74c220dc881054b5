"""Programs that a proof starts: the local control plane, and what stands before it."""

import json
import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[2]
CONTRACT = ROOT / "tests" / "data" / "trainings-openapi.json"
SWEEPER = (str(ROOT / ".venv" / "bin" / "python"), "-m", "sweeper")
"""The command line of sweeper, which lives in a virtual environment of its own."""

CLIENT_ID = "outside"
CLIENT_SECRET = "outside-secret"
PROJECT_ID = "1"
CLUSTER_ID = "5eeb0000-10ca-4000-8000-000000000001"
TRAININGS = "/api/v1/workloads/trainings"

_PATIENCE = 20
"""Seconds that a program gets to end."""


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """A control plane that listens at `url`."""

    url: str
    token: str = field(repr=False)


@contextmanager
def control_plane(*flags: str) -> Iterator[ControlPlane]:
    """Serve a local control plane on a free port, with `flags` of `sweeper local serve`."""
    with tempfile.TemporaryDirectory(prefix="sweeper-") as folder:
        place = ("--listen", "127.0.0.1:0", "--state-dir", folder)
        who = ("--client-id", CLIENT_ID, "--client-secret", CLIENT_SECRET)
        with running([*SWEEPER, "local", "serve", "--json", *place, *who, *flags]) as lines:
            url = str(json.loads(first_match(lines, re.compile(r"^(\{.*\})$")))["base_url"])
            yield ControlPlane(url=url, token=new_token(url))


def new_token(url: str) -> str:
    """Return a bearer token of the control plane at `url`."""
    form = {
        "grantType": "client_credentials",
        "clientId": CLIENT_ID,
        "clientSecret": CLIENT_SECRET,
    }
    return str(post(f"{url}/api/v1/token", form)["accessToken"])


def post(url: str, body: Any, token: str = "") -> Any:
    """Post JSON and return the JSON of the answer; an answer of 400 or more raises."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = Request(url, json.dumps(body).encode(), headers, method="POST")
    with urlopen(request, timeout=_PATIENCE) as answer:
        return json.load(answer)


class Said:
    """What a program says, line by line, stdout and stderr as one."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lines: list[str] = []
        self._grown = threading.Condition()
        self._reader: threading.Thread | None = None

    def __iter__(self) -> Iterator[str]:
        return iter(self._stream)

    def collect(self) -> Sequence[str]:
        """Return a list that takes all lines to come: a program waits when nobody takes them."""
        self._reader = threading.Thread(target=self._collect)
        self._reader.start()
        return self._lines

    def wait_for(self, words: str) -> None:
        """Wait until a line that holds `words` was collected."""
        with self._grown:
            is_said = self._grown.wait_for(lambda: words in "".join(self._lines), _PATIENCE)
        assert is_said, f"it has not said {words!r}"

    def _collect(self) -> None:
        for line in self._stream:
            with self._grown:
                self._lines.append(line)
                self._grown.notify_all()

    def close(self) -> None:
        """Take the last lines of a program that has ended."""
        if self._reader is not None:
            self._reader.join()
        self._stream.close()


@contextmanager
def running(command: Sequence[str], **variables: str) -> Iterator[Said]:
    """Run a program while the block lasts; yield what it says."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **variables},
    )
    assert process.stdout is not None
    said = Said(process.stdout)
    try:
        yield said
    finally:
        process.terminate()
        try:
            process.wait(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        said.close()


def first_match(lines: Iterable[str], pattern: re.Pattern[str]) -> str:
    """Return the first group of `pattern` in the first line that has it."""
    seen = []
    for line in lines:
        seen.append(line)
        found = pattern.search(line)
        if found is not None:
            return found[1]
    raise AssertionError(f"it ended without saying {pattern.pattern!r}:\n{''.join(seen)}")
