"""Prism stands between our client and our server and checks both against the contract.

It also leaves the wider API out, as it knows the contract alone: the listing is 404 there.
"""

import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError

import pytest

from tests.outside.contracts import contract_with_tokens
from tests.outside.servers import (
    CLIENT_ID,
    CLIENT_SECRET,
    CLUSTER_ID,
    PROJECT_ID,
    ROOT,
    SWEEPER,
    TRAININGS,
    control_plane,
    first_match,
    post,
    running,
)

PRISM = ROOT / "tests" / "outside" / "prism" / "node_modules" / ".bin" / "prism"
NOT_IN_THE_CONTRACT = "NO_PATH_MATCHED_ERROR"

OPERATIONS = (
    ("post", TRAININGS),
    ("get", f"{TRAININGS}/[^/]+"),
    ("delete", f"{TRAININGS}/[^/]+"),
    ("post", f"{TRAININGS}/[^/]+/suspend"),
    ("post", f"{TRAININGS}/[^/]+/resume"),
)

STEPS = {
    "pause": (["--suspend"], re.compile("(active -> interrupted)")),
    "unpause": ([], re.compile("(resuming -> active)")),
    "cancel": ([], re.compile("(sweep is cancelled)")),
}
"""Verbs, their flags, and what the daemon says once it has carried them out."""

SWEEP = f"""
name: {{name}}
method: grid
parameters: {{{{lr: {{{{values: [0.1, 0.2, 0.3, 0.4]}}}}}}}}
training:
  projectId: "{PROJECT_ID}"
  clusterId: {CLUSTER_ID}
  spec:
    image: registry.example.com/train:1
    command: sh
    args: -c "sleep {{seconds}}; echo ${{{{lr}}}}"
    environmentVariables:
      - {{{{name: LR, value: "${{{{lr}}}}"}}}}
    compute: {{{{cpuCoreRequest: 0.1, cpuMemoryRequest: 20Mi}}}}
    backoffLimit: 1
limits: {{{{active: 2}}}}
"""


@dataclass(frozen=True, kw_only=True)
class Proxied:
    """A control plane seen through Prism, and what Prism says until it ends."""

    url: str
    token: str = field(repr=False)
    said: Sequence[str]

    @property
    def complaints(self) -> Sequence[str]:
        """What Prism found wrong, but for paths that the contract lacks."""
        wrong = [line for line in self.said if "terminated with error" in line]
        return [line for line in wrong if NOT_IN_THE_CONTRACT not in line]

    def forwarded(self, method: str, path: str) -> bool:
        """Return whether a request of this method was let through to a path that fits."""
        pattern = re.compile(rf'Forwarding "{method}" request to http://[^/]+{path}\.\.\.')
        return any(pattern.search(line) for line in self.said)


def test_a_sweep_and_its_commands_are_valid_from_end_to_end(tmp_path: Path) -> None:
    whole, cut = _sweep(tmp_path, "whole", 0.2), _sweep(tmp_path, "cut", 600)

    with _proxied(tmp_path) as proxied:
        ended = _sweeper(proxied, tmp_path, "run", whole)
        with running([*SWEEPER, "run", cut], **_environment(proxied, tmp_path)) as lines:
            first_match(lines, re.compile("(trial 1: submitting -> active)"))
            for verb, (flags, done) in STEPS.items():
                _sweeper(proxied, tmp_path, verb, cut, *flags)
                first_match(lines, done)

    assert [trial["state"] for trial in json.loads(ended.stdout)] == ["completed"] * 4
    assert proxied.complaints == []
    assert all(proxied.forwarded(method, path) for method, path in OPERATIONS)
    assert not proxied.forwarded("get", r"/api/v1/workloads\?\S*")


def test_what_is_not_valid_is_seen(tmp_path: Path) -> None:
    with _proxied(tmp_path) as proxied, pytest.raises(HTTPError) as refusal:
        post(proxied.url + TRAININGS, {"name": 7}, proxied.token)

    refusal.value.close()
    assert refusal.value.code == 422
    assert len(proxied.complaints) == 1


def _sweep(folder: Path, name: str, seconds: float) -> str:
    file = folder / f"{name}.yaml"
    file.write_text(SWEEP.format(name=name, seconds=seconds), encoding="utf-8")
    return str(file)


def _environment(proxied: Proxied, folder: Path) -> dict[str, str]:
    return {
        "RUNAI_BASE_URL": proxied.url,
        "RUNAI_CLIENT_ID": CLIENT_ID,
        "RUNAI_CLIENT_SECRET": CLIENT_SECRET,
        "SWEEPER_STATE_DIR": str(folder / "state"),
        "SWEEPER_LISTEN": "127.0.0.1:0",
    }


def _sweeper(proxied: Proxied, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SWEEPER, *arguments, "--json"],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **_environment(proxied, folder)},
        timeout=60,
    )


@contextmanager
def _proxied(folder: Path) -> Iterator[Proxied]:
    """Serve a control plane behind Prism, which answers what is not valid with its own error."""
    document = folder / "contract.json"
    document.write_text(json.dumps(contract_with_tokens()), encoding="utf-8")
    command = [str(PRISM), "proxy", "--errors", "-h", "127.0.0.1", "-p", str(_free_port())]
    with control_plane() as plane, running([*command, str(document), plane.url]) as lines:
        url = first_match(lines, re.compile(r"Prism is listening on (http://\S+)"))
        yield Proxied(url=url, token=plane.token, said=lines.collect())
        # What it says comes a moment after its answers, and is lost when it ends before that.
        with pytest.raises(HTTPError) as refusal:
            post(f"{url}/the-end", {})
        refusal.value.close()
        lines.wait_for("post /the-end ✖")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
