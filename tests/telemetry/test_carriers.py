from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from prometheus_client import CollectorRegistry, Gauge

from sweeper.telemetry.carriers import Gateway, TextFile


@pytest.fixture
def registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    Gauge("sweeper_thing", "A thing", ["sweep"], registry=registry).labels("demo").set(3)
    return registry


class _Gateway(HTTPServer):
    """Takes one push and answers it with `status`."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.taken: list[tuple[str, str, bytes]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: _Gateway

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, self.headers["Content-Type"], body))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(b"pushed metrics are\nodd")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(params=[200])
def gateway(request: pytest.FixtureRequest) -> Iterator[_Gateway]:
    with _Gateway(request.param) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        yield server
        thread.join()


def test_a_file_holds_the_newest_exposition_and_nothing_else(
    registry: CollectorRegistry, tmp_path: Path
) -> None:
    path = tmp_path / "sweeper.prom"
    path.write_text("what was there before")

    TextFile(path).carry(registry)

    assert 'sweeper_thing{sweep="demo"} 3.0' in path.read_text()
    assert "before" not in path.read_text()
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_in_a_folder_that_is_gone_raises(
    registry: CollectorRegistry, tmp_path: Path
) -> None:
    with pytest.raises(OSError, match="No such file"):
        TextFile(tmp_path / "gone" / "sweeper.prom").carry(registry)


def test_a_push_replaces_the_group_of_the_sweep(
    registry: CollectorRegistry, gateway: _Gateway
) -> None:
    Gateway(gateway.url, "demo").carry(registry)

    ((path, content_type, body),) = gateway.taken
    assert path == "/metrics/job/sweeper/sweep/demo"
    assert content_type.startswith("text/plain; version=0.0.4")
    assert b'sweeper_thing{sweep="demo"} 3.0' in body


def test_a_push_goes_past_the_proxies_of_the_environment(
    registry: CollectorRegistry, gateway: _Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")

    Gateway(gateway.url, "a/b").carry(registry)

    assert gateway.taken[0][0] == "/metrics/job/sweeper/sweep@base64/YS9i"


@pytest.mark.parametrize("gateway", [400, 302], indirect=True)
def test_a_push_that_is_refused_raises_what_was_said(
    registry: CollectorRegistry, gateway: _Gateway
) -> None:
    with pytest.raises(OSError, match=rf"it answers {gateway.status}: pushed metrics are\\nodd"):
        Gateway(gateway.url, "demo").carry(registry)


def test_a_gateway_that_is_not_there_raises(registry: CollectorRegistry) -> None:
    with _Gateway(200) as server:
        url = server.url

    with pytest.raises(OSError, match="refused"):
        Gateway(url, "demo").carry(registry)


def test_a_carrier_says_where_to() -> None:
    assert TextFile(Path("/a.prom")).place == "/a.prom"
    assert Gateway("http://host:9091", "demo").place == "http://host:9091"
