import logging
import sys

import pytest

from sweeper.bootstrap import tracing
from sweeper.bootstrap.tracing import traced
from sweeper.store.memory import MemoryStore
from sweeper.telemetry.tracing import span_id, trace_id
from sweeper.web.serving import bind_tcp
from tests.support.builders import a_sweep, a_trial
from tests.support.collector import collecting, fields_of
from tests.telemetry.builders import a_move, a_tick

SWEEP = a_sweep()


async def _a_store() -> MemoryStore:
    store = MemoryStore()
    await store.save_sweep(SWEEP)
    return store


@pytest.mark.parametrize(("endpoint", "disabled"), [(" ", "false"), ("http://127.0.0.1:1", "TRUE")])
async def test_nothing_is_sent_unless_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, disabled: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    monkeypatch.setenv("OTEL_SDK_DISABLED", disabled)

    async with traced(await _a_store(), SWEEP) as hears:
        assert list(hears) == []


async def test_a_missing_extra_is_one_warning_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.delitem(sys.modules, "sweeper.telemetry.otlp", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)

    async with traced(await _a_store(), SWEEP) as hears:
        assert list(hears) == []

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in record.getMessage()
    assert "pip install 'sweeper[otel]'" in record.getMessage()


async def test_a_variable_that_cannot_be_used_costs_the_traces_and_not_the_sweep(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "0")

    async with traced(await _a_store(), SWEEP) as hears:
        assert list(hears) == []

    assert "schedule_delay_millis" in caplog.text


async def test_spans_reach_a_collector_with_ids_parents_events_and_errors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = await _a_store()
    live = a_trial(3)
    before = [a_trial(number, version=0) for number in range(4)]
    await store.commit(before, [a_move("waiting", "submitting")])
    async with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        async with traced(store, SWEEP) as (traces,):
            traces.ticked(a_tick(live))
            traces.recorded(SWEEP, [a_move("active", "failed", "exit code 3")])
        span = await collector.next()

    assert int.from_bytes(span.trace_id) == trace_id(SWEEP.id)
    assert int.from_bytes(span.span_id) == span_id(SWEEP.id, 3)
    assert int.from_bytes(span.parent_span_id) == span_id(SWEEP.id, None)
    assert span.events[0].name == "transition submitting"
    assert fields_of(span)["sweeper.trial"] == 3
    assert fields_of(span.events[-1])["sweeper.reason"] == "exit code 3"
    assert (span.status.code, span.status.message) == (2, "exit code 3")
    assert collector.services == {"sweeper"}


async def test_a_collector_that_never_answers_holds_up_neither_a_tick_nor_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracing, "LAST_GRACE", 0.01)
    # Whoever waited for the answer would outlive the time that a test has.
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "600")
    silent = bind_tcp("127.0.0.1", 0)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
    # Open as long as the process: closed, it would have the waiting thread speak after the tests.
    silent.detach()

    async with traced(await _a_store(), SWEEP) as (traces,):
        traces.recorded(SWEEP, [a_move("active", "completed")])
