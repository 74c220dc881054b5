import asyncio
import logging
from dataclasses import replace

import pytest

from sweeper.telemetry.otlp import OtlpSpans
from sweeper.telemetry.tracing import Span
from tests.support.builders import NOW
from tests.support.collector import collecting

SPAN = Span(
    trace_id=1,
    span_id=2,
    parent_id=None,
    name="trial 0",
    began_at=NOW,
    ended_at=NOW,
    fields={"sweeper.trial": 0},
    marks=(),
    error="",
)


async def test_a_collector_that_refuses_is_told_once_and_so_is_its_return(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
    async with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        spans = OtlpSpans("1.2")
        collector.status = 400
        for number in range(3):
            spans.send(replace(SPAN, span_id=number + 2))
            await collector.refused.get()
        collector.status = 200
        for number in range(2):
            spans.send(replace(SPAN, span_id=number + 9))
            assert int.from_bytes((await collector.next()).span_id) == number + 9
        await asyncio.to_thread(spans.close)

    ours = [(one.levelname, one.getMessage()) for one in caplog.records if "Traces" in one.msg]
    assert [level for level, _ in ours] == ["WARNING", "INFO"]
    assert "do not get to their collector" in ours[0][1]
    assert not [one for one in caplog.records if one.name.startswith("opentelemetry")]


async def test_times_are_told_to_the_microsecond(monkeypatch: pytest.MonkeyPatch) -> None:
    began_at = NOW.replace(microsecond=123_457)
    async with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        spans = OtlpSpans("1.2")
        spans.send(replace(SPAN, began_at=began_at, ended_at=began_at))
        await asyncio.to_thread(spans.close)
        span = await collector.next()

    assert span.start_time_unix_nano % 10**9 == 123_457_000


async def test_the_service_may_have_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "nightly")
    async with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        spans = OtlpSpans("1.2")
        spans.send(SPAN)
        await asyncio.to_thread(spans.close)

    assert collector.services == {"nightly"}
