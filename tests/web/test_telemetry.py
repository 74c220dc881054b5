import threading
from datetime import timedelta

import pytest

from sweeper.web.telemetry import overdue, telemetry_app
from tests.support.builders import NOW, after
from tests.web.calling import calling

OPENMETRICS = "application/openmetrics-text"


def render(accept: str) -> tuple[bytes, str]:
    kind = OPENMETRICS if OPENMETRICS in accept else "text/plain; version=0.0.4; charset=utf-8"
    return f"threads {threading.current_thread() is threading.main_thread()}\n".encode(), kind


def well() -> str:
    return ""


@pytest.mark.parametrize("accept", ["*/*", OPENMETRICS])
async def test_metrics_are_rendered_off_the_loop_as_they_are_accepted(accept: str) -> None:
    app = telemetry_app(render, health=well, readiness=well)

    async with calling(app) as client:
        answer = await client.get("/metrics", headers={"Accept": accept})

    assert answer.text == "threads False\n"
    assert answer.headers["content-type"] == render(accept)[1]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_probe_is_answered_when_all_is_well(path: str) -> None:
    async with calling(telemetry_app(render, health=well, readiness=well)) as client:
        answer = await client.get(path)

    assert (answer.status_code, answer.text) == (200, "ok\n")


async def test_each_probe_has_a_complaint_of_its_own() -> None:
    app = telemetry_app(render, health=lambda: "stuck", readiness=lambda: "blind")

    async with calling(app) as client:
        answers = [await client.get(path) for path in ("/healthz", "/readyz")]

    assert [(answer.status_code, answer.text) for answer in answers] == [
        (503, "stuck\n"),
        (503, "blind\n"),
    ]


async def test_the_index_lists_what_there_is() -> None:
    async with calling(telemetry_app(render, health=well, readiness=well)) as client:
        answer = await client.get("/")

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert all(f'href="{path}"' in answer.text for path in ("/metrics", "/healthz", "/readyz"))


async def test_only_reading_is_allowed() -> None:
    async with calling(telemetry_app(render, health=well, readiness=well)) as client:
        statuses = {
            (await client.request(method, "/metrics")).status_code
            for method in ("POST", "PUT", "DELETE", "PATCH")
        }
        head = await client.head("/metrics")

    assert statuses == {405}
    assert (head.status_code, head.content) == (200, b"")


def test_a_tick_is_overdue_after_its_bound_only() -> None:
    bound = timedelta(seconds=60)

    assert overdue(NOW, NOW, after(seconds=60), bound) == ""
    assert overdue(NOW, NOW, after(seconds=61), bound) == (
        "the last tick ended 61 s ago, more than 60 s"
    )
    assert "no tick has ended" in overdue(None, NOW, after(seconds=61), bound)
    assert overdue(None, NOW, after(seconds=1), bound) == ""
