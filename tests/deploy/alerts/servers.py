"""Prometheus, Alertmanager and whoever gets their messages, as processes of the test's own."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sweeper.web.serving import bind_tcp, serve
from tests.acceptance.daemons import PATIENCE
from tests.deploy.programs import free_address, running


@dataclass(kw_only=True)
class Receiver:
    """Whoever is called when an alert fires or is resolved."""

    url: str
    messages: asyncio.Queue[Mapping[str, Any]] = field(default_factory=asyncio.Queue)

    async def hears(self, alert: str, status: str) -> Mapping[str, Any]:
        """Wait for word that an alert is `firing` or `resolved`, and return what is said of it."""
        async with asyncio.timeout(3 * PATIENCE):
            while True:
                told = await self.messages.get()
                if (told["labels"]["alertname"], told["status"]) == (alert, status):
                    return told


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Take the messages of an Alertmanager."""
    with bind_tcp("127.0.0.1", 0) as bound:
        receiver = Receiver(url=f"http://127.0.0.1:{bound.getsockname()[1]}/")

        async def take(request: Request) -> Response:
            for told in (await request.json())["alerts"]:
                receiver.messages.put_nowait(told)
            return Response()

        async with serve(Starlette(routes=[Route("/", take, methods=["POST"])]), [bound]):
            yield receiver


@asynccontextmanager
async def alertmanager(folder: Path, webhook: str) -> AsyncIterator[str]:
    """Run an Alertmanager that passes on at once what it is told; yields its address."""
    address = free_address()
    told = _write(
        folder / "alertmanager.yaml",
        {
            "route": {
                "receiver": "us",
                "group_by": ["alertname", "sweep"],
                "group_wait": "0s",
                "group_interval": "1s",
                "repeat_interval": "1h",
            },
            "receivers": [
                {"name": "us", "webhook_configs": [{"url": webhook, "send_resolved": True}]}
            ],
        },
    )
    async with running(
        "prometheus-alertmanager",
        f"--config.file={told}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ):
        yield address


@asynccontextmanager
async def prometheus(
    folder: Path, *, target: str, rules: Path, alertmanager: str
) -> AsyncIterator[None]:
    """Run a Prometheus that asks its target, and itself for alerts, every second."""
    told = _write(
        folder / "prometheus.yaml",
        {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "scrape_configs": [{"job_name": "sweeper", "static_configs": [{"targets": [target]}]}],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        },
    )
    async with running(
        "prometheus",
        f"--config.file={told}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address={free_address()}",
    ):
        yield


def _write(file: Path, held: Mapping[str, Any]) -> Path:
    # JSON is YAML, too.
    file.write_text(json.dumps(held), encoding="utf-8")
    return file
