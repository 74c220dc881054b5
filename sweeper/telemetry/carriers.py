"""Where metrics are carried to: a file for node_exporter's textfile collector, a pushgateway."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx
from prometheus_client import push_to_gateway, write_to_textfile
from prometheus_client.registry import Collector

from sweeper.domain.wording import printable

JOB = "sweeper"
"""The job that pushed metrics are grouped under, beside their sweep."""

TIMEOUT = 5.0
"""Seconds that a gateway may take to connect, and to answer."""


class Carrier(Protocol):
    """Takes metrics to one place."""

    @property
    def place(self) -> str:
        """Where to, for people."""
        ...

    def carry(self, metrics: Collector) -> None:
        """Replace what is there by `metrics`; blocks, for a while.

        Raises:
            OSError: it did not work.
        """
        ...


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file that always holds one whole exposition; its folder must exist."""

    path: Path

    @property
    def place(self) -> str:
        """The path."""
        return str(self.path)

    def carry(self, metrics: Collector) -> None:
        """Write a file beside it, and move that there."""
        write_to_textfile(str(self.path), metrics)


@dataclass(frozen=True, slots=True)
class Gateway:
    """The group of one sweep on a pushgateway, whose `url` may have a path before its own."""

    url: str
    sweep: str

    @property
    def place(self) -> str:
        """The address."""
        return self.url

    def carry(self, metrics: Collector) -> None:
        """Replace the group; straight to the gateway, whatever proxies the environment names."""
        push_to_gateway(
            self.url,
            job=JOB,
            registry=metrics,
            grouping_key={"sweep": self.sweep},
            timeout=TIMEOUT,
            handler=_handler,
        )


def _handler(
    url: str,
    method: str,
    timeout: float | None,
    headers: Sequence[tuple[str, str]],
    data: bytes,
) -> Callable[[], None]:
    """Return what sends one request; the library gives its parts by these names."""

    def send() -> None:
        try:
            with httpx.Client(trust_env=False, timeout=timeout) as client:
                answer = client.request(method, url, content=data, headers=dict(headers))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OSError(str(error) or type(error).__name__) from error
        if not answer.is_success:
            raise OSError(f"it answers {answer.status_code}: {printable(answer.text, 200)}")

    return send
