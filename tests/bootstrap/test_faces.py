import re
from datetime import timedelta

import httpx
import pytest

from sweeper.bootstrap.faces import Latest, bind_reports, probes, probes_face
from sweeper.bootstrap.probing import probe
from sweeper.clock import utc_now
from sweeper.errors import SettingsError
from sweeper.ports import TickSummary
from sweeper.settings import Settings
from sweeper.telemetry.metrics import Metrics
from sweeper.web.serving import bind_tcp
from tests.support.builders import NOW, a_sweep, a_trial, after
from tests.support.places import settings_in


def _tick(**fields: object) -> TickSummary:
    from sweeper.domain.record import Totals

    given: dict[str, object] = {
        "sweep": a_sweep(),
        "at": NOW,
        "seconds": 0.1,
        "totals": Totals(),
        "live": (),
        "observed_at": NOW,
        "active_limit": 4,
        "pending_limit": None,
        "gpu_limit": None,
        "best": None,
    }
    return TickSummary(**given | fields)  # type: ignore[arg-type] # a builder


def _latest(now: object = NOW) -> Latest:
    return Latest(now=lambda: now, started=NOW)  # type: ignore[arg-type,return-value] # a time


def _metrics() -> Metrics:
    return Metrics(version="1", now=utc_now)


def test_a_daemon_is_healthy_while_its_ticks_go_on() -> None:
    latest = _latest(after(minutes=5))
    latest.ticked(_tick(at=NOW))

    assert latest.health() == ""


def test_a_daemon_whose_ticks_stand_still_is_not_healthy() -> None:
    latest = _latest(after(minutes=6))
    latest.ticked(_tick(at=NOW))

    assert "the last tick ended" in latest.health()


def test_a_daemon_that_lingers_after_its_last_tick_is_healthy() -> None:
    """Else whoever runs it would start it anew, over and over."""
    latest = _latest(after(hours=1))
    latest.ticked(_tick(at=NOW))

    latest.ticks_ended()

    assert latest.health() == ""


def test_a_daemon_is_not_ready_before_its_first_tick() -> None:
    assert _latest().readiness() == "the first tick has not ended"


def test_a_daemon_without_trainings_is_ready_whatever_it_has_observed() -> None:
    latest = _latest()
    latest.ticked(_tick(observed_at=None))

    assert latest.readiness() == ""


def test_a_daemon_that_lost_sight_of_its_trainings_is_not_ready_and_says_why() -> None:
    latest = _latest(after(minutes=3))
    latest.ticked(_tick(live=(a_trial(),), trouble="no answer in time"))

    assert latest.readiness() == "no answer in time"


def test_a_daemon_whose_writes_are_frozen_is_not_ready_though_it_sees() -> None:
    latest = _latest()
    latest.ticked(_tick(sweep=a_sweep(frozen="many are lost"), trouble="writes are frozen"))

    assert latest.readiness() == "writes are frozen"


async def test_port_0_takes_a_free_port_and_says_which(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    app = probes(_metrics(), _latest())

    async with probes_face("127.0.0.1:0", app):
        url = re.search(r"http://127.0.0.1:\d+", caplog.text)
        assert url is not None
        async with httpx.AsyncClient(base_url=url[0], trust_env=False) as client:
            answer = await client.get("/metrics")

    assert answer.status_code == 200
    assert "sweeper_build_info" in answer.text


async def test_a_port_that_was_asked_for_and_is_taken_is_refused() -> None:
    with bind_tcp("127.0.0.1", 0) as taken:
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(SettingsError, match=f"listen: {listen} cannot be had"):
            async with probes_face(listen, probes(_metrics(), _latest())):
                pass


async def test_the_default_port_being_taken_is_only_a_warning(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bind_tcp("127.0.0.1", 0) as taken:
        taken.listen()
        default = f"127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setattr("sweeper.bootstrap.faces.DEFAULT_LISTEN", default)

        async with probes_face(None, probes(_metrics(), _latest())):
            pass

    assert f"{default} is taken: no metrics" in caplog.text


async def test_health_asks_the_address_that_it_is_given(tmp_path: object) -> None:
    with bind_tcp("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    settings = _listening(port)

    async with probes_face(f"127.0.0.1:{port}", probes(_metrics(), _latest(after(minutes=6)))):
        well, words = await probe(settings, None)
    silent = await probe(settings, None)

    assert not well
    assert "no tick has ended" in words
    assert not silent[0]
    assert "does not answer" in silent[1]


def _listening(port: int) -> Settings:
    from pathlib import Path

    return settings_in(Path("unused"), listen=f"127.0.0.1:{port}")


async def test_health_cannot_ask_port_0() -> None:
    with pytest.raises(SettingsError, match="port 0 names no daemon"):
        await probe(_listening(0), None)


def test_reports_keep_the_port_that_trainings_know() -> None:
    first = bind_reports("127.0.0.1:0", None)
    first.bound.close()

    again = bind_reports("127.0.0.1:0", first.port)

    again.bound.close()
    assert again.port == first.port


def test_a_kept_port_that_is_taken_gives_way_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with bind_tcp("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]

        given = bind_reports("127.0.0.1:0", port)

    given.bound.close()
    assert given.port != port
    assert f"Port {port} for reports is taken" in caplog.text


def test_a_report_port_that_was_asked_for_and_is_taken_is_refused() -> None:
    with bind_tcp("127.0.0.1", 0) as taken:
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(SettingsError, match=r"report_listen: .* cannot be had"):
            bind_reports(listen, None)


def test_bounds_leave_a_stuck_tick_time_to_end_the_process() -> None:
    from sweeper.bootstrap.faces import TICK_BOUND
    from sweeper.daemon.service import STUCK_AFTER

    assert timedelta(seconds=STUCK_AFTER) < TICK_BOUND
