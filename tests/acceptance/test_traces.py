"""Traces of a real daemon that is killed and started again, at a collector."""

import os
from dataclasses import replace

from tests.acceptance.daemons import Place, waiting_at
from tests.support.collector import collecting, fields_of


async def test_spans_of_a_sweep_join_over_attempts_and_a_kill(place: Place) -> None:
    os.mkfifo(place.folder / "gate")
    script = "test $SWEEPER_TRIAL = 0 || { read line < gate; test $SWEEPER_ATTEMPT = 2; }"
    file = place.sweep(
        "name: demo",
        "method: grid",
        f"command: [sh, -c, '{script}']",
        "parameters: {a: {values: [1, 2]}}",
        "limits: {active: 1}",
        "retry: {application: {attempts: 1, backoff: 0.1s}}",
    )
    async with collecting() as collector:
        traced = replace(place, variables={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url})
        async with traced.run("run", file) as daemon:
            os.close(await waiting_at(place.folder / "gate"))
            await daemon.says("(attempt 2)")
            gate = await waiting_at(place.folder / "gate")
            first = await collector.next()
            await daemon.kill()
        async with traced.run("run", file) as daemon:
            await daemon.says("metrics and health")
            os.close(gate)
            ended = await daemon.end()
        second, whole = await collector.next(), await collector.next()

    assert ended.code == 0, ended.err
    assert [span.name for span in (first, second, whole)] == ["trial 0", "trial 1", "sweep demo"]
    assert len({span.trace_id for span in (first, second, whole)}) == 1
    assert first.parent_span_id == second.parent_span_id == whole.span_id
    attempts = {fields_of(event).get("sweeper.attempt") for event in second.events}
    assert {1, 2} <= attempts
    names = [event.name for event in second.events]
    assert names[0] == "transition submitting"
    assert {"resubmit application", "transition completed"} <= {*names}
    assert any(name.startswith("phase ") for name in names)
    assert whole.start_time_unix_nano <= first.start_time_unix_nano
    assert second.end_time_unix_nano <= whole.end_time_unix_nano
