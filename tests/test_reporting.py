import ast
import json
import os
import socket
import stat
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

import sweeper
from sweeper import reporting
from sweeper.reporting import _Reporter

TOKEN = "a-secret-token"
URL = "http://daemon.invalid:1/reports/3"


class Daemon:
    """Answers with the statuses given, the last one for ever; keeps what it was sent."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.calls: list[tuple[str, dict[str, Any], Mapping[str, str], float]] = []

    def __call__(self, url: str, content: bytes, headers: Mapping[str, str], seconds: float) -> int:
        self.calls.append((url, json.loads(content), headers, seconds))
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


class Time:
    """A clock that moves only when someone sleeps, or a test says so."""

    def __init__(self) -> None:
        self.now = 100.0
        self.sleeps: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


def a_reporter(time: Time, daemon: Daemon, **environment: str) -> _Reporter:
    return _Reporter(environment, now=lambda: time.now, sleep=time.sleep, post=daemon)


def remote(time: Time, daemon: Daemon) -> _Reporter:
    return a_reporter(time, daemon, SWEEPER_REPORT_URL=URL, SWEEPER_REPORT_TOKEN=TOKEN)


def local(time: Time, daemon: Daemon, file: Path) -> _Reporter:
    return a_reporter(time, daemon, SWEEPER_REPORT_URL=URL, SWEEPER_REPORT_FILE=str(file))


def lines_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="ascii").splitlines() if line]


def test_outside_a_sweep_nothing_is_taken_and_nothing_said(
    time: Time, capfd: pytest.CaptureFixture[str]
) -> None:
    taken = a_reporter(time, Daemon(202)).report(None, {"loss": 1.0})

    assert not taken
    assert capfd.readouterr() == ("", "")


def test_a_report_becomes_one_line_of_the_file(time: Time, tmp_path: Path) -> None:
    file = tmp_path / "3.jsonl"

    taken = a_reporter(time, Daemon(202), SWEEPER_REPORT_FILE=str(file)).report(3, {"loss": 0.5})

    (line,) = lines_of(file)
    assert taken
    assert line | {"key": "", "at": ""} == {"key": "", "at": "", "step": 3, "values": {"loss": 0.5}}
    assert line["at"].endswith("+00:00")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_line_stands_in_the_file_before_the_daemon_hears_of_it(
    time: Time, tmp_path: Path
) -> None:
    file = tmp_path / "3.jsonl"
    seen: list[int] = []

    def post(url: str, content: bytes, headers: Mapping[str, str], seconds: float) -> int:
        seen.append(len(lines_of(file)))
        return 202

    reporter = _Reporter({"SWEEPER_REPORT_URL": URL, "SWEEPER_REPORT_FILE": str(file)}, post=post)
    reporter.report(None, {"loss": 1.0})

    assert seen == [1]


def test_file_and_daemon_are_given_the_same_key(time: Time, tmp_path: Path) -> None:
    daemon, file = Daemon(202), tmp_path / "3.jsonl"

    local(time, daemon, file).report(None, {"loss": 1.0})

    assert daemon.calls[0][2]["Idempotency-Key"] == lines_of(file)[0]["key"]


def test_the_daemon_is_sent_the_flat_form_with_the_token(time: Time) -> None:
    daemon = Daemon(202)

    taken = remote(time, daemon).report(7, {"loss": 0.5, "acc": 1})

    url, content, headers, _ = daemon.calls[0]
    assert taken
    assert (url, content) == (URL, {"loss": 0.5, "acc": 1.0, "step": 7})
    assert headers["Authorization"] == f"Bearer {TOKEN}"


def test_every_report_has_a_key_of_its_own(time: Time) -> None:
    daemon = Daemon(202)
    reporters = [remote(time, daemon), remote(time, daemon)]

    for reporter in reporters * 2:
        reporter.report(None, {"loss": 1.0})

    assert len({call[2]["Idempotency-Key"] for call in daemon.calls}) == 4


def test_with_a_file_a_daemon_that_is_down_costs_one_quick_try(time: Time, tmp_path: Path) -> None:
    daemon = Daemon(0)
    reporter = local(time, daemon, tmp_path / "3.jsonl")

    taken = [reporter.report(step, {"loss": 1.0}) for step in range(3)]

    assert taken == [True, True, True]
    assert [call[3] for call in daemon.calls] == [2.0]
    assert time.sleeps == []


def test_with_a_file_the_daemon_is_tried_again_after_half_a_minute(
    time: Time, tmp_path: Path
) -> None:
    daemon = Daemon(0, 202)
    reporter = local(time, daemon, tmp_path / "3.jsonl")
    reporter.report(None, {"loss": 1.0})

    time.now += 30
    reporter.report(None, {"loss": 1.0})
    reporter.report(None, {"loss": 1.0})

    assert len(daemon.calls) == 3


def test_without_a_file_it_insists_with_growing_waits(time: Time) -> None:
    daemon = Daemon(0, 503, 429, 202)

    taken = remote(time, daemon).report(None, {"loss": 1.0})

    assert taken
    assert time.sleeps == [0.5, 1.0, 2.0]
    assert len({call[2]["Idempotency-Key"] for call in daemon.calls}) == 1


def test_without_a_file_it_gives_up_after_about_ten_seconds_and_says_so_once(
    time: Time, capfd: pytest.CaptureFixture[str]
) -> None:
    reporter = remote(time, Daemon(0))

    taken = [reporter.report(None, {"loss": 1.0}) for _ in range(2)]

    assert taken == [False, False]
    assert sum(time.sleeps) <= 10
    message = "sweeper.report: the daemon did not take a report (no answer); it may be lost\n"
    assert capfd.readouterr() == ("", message)


def test_after_giving_up_each_report_gets_one_quick_try_for_a_while(time: Time) -> None:
    daemon = Daemon(0)
    reporter = remote(time, daemon)
    reporter.report(None, {"loss": 1.0})
    patient = len(daemon.calls)

    reporter.report(None, {"loss": 1.0})
    time.now += 30
    reporter.report(None, {"loss": 1.0})

    assert len(daemon.calls) == 2 * patient + 1


def test_a_daemon_that_answers_again_is_trusted_again(time: Time) -> None:
    daemon = Daemon(503, 503, 503, 503, 503, 202, 503, 202)
    reporter = remote(time, daemon)
    reporter.report(None, {"loss": 1.0})

    taken = [reporter.report(None, {"loss": 1.0}) for _ in range(2)]

    assert taken == [True, True]


@pytest.mark.parametrize("status", [400, 401, 404, 413, 302])
def test_a_refusal_is_not_repeated(
    time: Time, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    daemon = Daemon(status)

    taken = remote(time, daemon).report(None, {"loss": 1.0})

    assert not taken
    assert len(daemon.calls) == 1
    assert f"status {status}" in capfd.readouterr().err


class Scalar:
    """What numpy and torch give: neither int nor float, yet a number."""

    def __float__(self) -> float:
        return 0.25


class Broken:
    def __float__(self) -> float:
        raise RuntimeError("device lost")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        pytest.param(3, 3.0, id="int"),
        pytest.param(Scalar(), 0.25, id="scalar"),
        pytest.param(Fraction(1, 4), 0.25, id="fraction"),
        pytest.param(Decimal("0.5"), 0.5, id="decimal"),
    ],
)
def test_whatever_is_a_number_is_taken(time: Time, value: object, number: float) -> None:
    daemon = Daemon(202)

    remote(time, daemon).report(None, {"loss": value})

    assert daemon.calls[0][1] == {"loss": number}


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("0.1", id="text"),
        pytest.param(True, id="bool"),
        pytest.param(type("bool_", (Scalar,), {})(), id="numpy bool"),
        pytest.param(None, id="none"),
        pytest.param(1j, id="complex"),
        pytest.param(float("nan"), id="nan"),
        pytest.param(float("-inf"), id="infinite"),
        pytest.param(10**400, id="past a float"),
        pytest.param(Broken(), id="broken"),
    ],
)
def test_what_is_no_finite_number_is_left_out_and_said(
    time: Time, value: object, capfd: pytest.CaptureFixture[str]
) -> None:
    daemon = Daemon(202)
    reporter = remote(time, daemon)

    taken = [reporter.report(None, {"odd": value}), reporter.report(None, {"odd": value, "ok": 1})]

    assert taken == [False, True]
    assert daemon.calls[0][1] == {"ok": 1.0}
    assert capfd.readouterr().err == "sweeper.report: 'odd' is left out: no finite number\n"


def test_names_and_numbers_of_values_are_bounded(time: Time) -> None:
    daemon = Daemon(202)
    values = {"n" * 257: 1.0} | {str(number): 1.0 for number in range(200)}

    remote(time, daemon).report(None, values)

    assert list(daemon.calls[0][1]) == [str(number) for number in range(99)]


@pytest.mark.parametrize(
    ("step", "sent"),
    [
        pytest.param(0, {"step": 0}, id="zero"),
        pytest.param(3.0, {"step": 3}, id="whole float"),
        pytest.param(3.5, {}, id="float"),
        pytest.param(True, {}, id="bool"),
        pytest.param("3", {}, id="text"),
        pytest.param(2**63, {}, id="past 64 bits"),
        pytest.param(None, {}, id="none"),
    ],
)
def test_only_a_whole_step_is_sent(time: Time, step: object, sent: dict[str, int]) -> None:
    daemon = Daemon(202)

    remote(time, daemon).report(step, {"loss": 1.0})

    assert daemon.calls[0][1] == {"loss": 1.0} | sent


def test_the_folder_of_the_file_is_made(time: Time, tmp_path: Path) -> None:
    file = tmp_path / "reports" / "3.jsonl"

    taken = a_reporter(time, Daemon(202), SWEEPER_REPORT_FILE=str(file)).report(None, {"a": 1.0})

    assert taken
    assert len(lines_of(file)) == 1


def test_a_torn_line_does_not_spoil_the_next(time: Time, tmp_path: Path) -> None:
    file = tmp_path / "3.jsonl"
    file.write_text('{"key": "tor', encoding="ascii")

    a_reporter(time, Daemon(202), SWEEPER_REPORT_FILE=str(file)).report(None, {"loss": 1.0})

    torn, line = file.read_text(encoding="ascii").splitlines()
    assert torn == '{"key": "tor'
    assert json.loads(line)["values"] == {"loss": 1.0}


def test_a_file_that_cannot_be_written_leaves_the_daemon(
    time: Time, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    daemon = Daemon(0, 202)

    taken = local(time, daemon, tmp_path).report(None, {"loss": 1.0})

    assert taken
    assert time.sleeps == [0.5]
    assert "SWEEPER_REPORT_FILE: IsADirectoryError" in capfd.readouterr().err


def test_a_line_that_was_cut_is_not_taken_for_kept(
    time: Time, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda to, text: write(to, text[:5]))

    taken = a_reporter(time, Daemon(0), SWEEPER_REPORT_FILE=str(tmp_path / "f")).report(
        None, {"loss": 1.0}
    )

    assert not taken


def test_many_threads_lose_no_line(time: Time, tmp_path: Path) -> None:
    file = tmp_path / "3.jsonl"
    reporter = a_reporter(time, Daemon(202), SWEEPER_REPORT_FILE=str(file))

    def work() -> None:
        for step in range(50):
            reporter.report(step, {"loss": 1.0})

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({line["key"] for line in lines_of(file)}) == 200


def test_a_fault_of_ours_never_reaches_the_training(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> bool:
        raise RuntimeError(TOKEN)

    reporter = _Reporter({})
    monkeypatch.setattr(reporter, "report", broken)
    monkeypatch.setattr(reporting, "_reporter", reporter)

    taken = sweeper.report(loss=1.0)

    assert not taken
    assert capfd.readouterr().err == "sweeper.report: failed: RuntimeError\n"


def test_a_closed_stderr_is_no_fault(time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path(os.devnull).open(encoding="ascii") as unwritable:
        monkeypatch.setattr(sys, "stderr", unwritable)

        taken = remote(time, Daemon(400)).report(None, {"loss": 1.0})

    assert not taken


@pytest.fixture
def served() -> Iterator[Callable[[int], tuple[str, list[tuple[str, str, bytes]]]]]:
    """Serves one status at a real socket: gives the address and what arrives."""
    servers: list[tuple[HTTPServer, threading.Thread]] = []

    def start(status: int) -> tuple[str, list[tuple[str, str, bytes]]]:
        heard: list[tuple[str, str, bytes]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                heard.append((self.path, self.headers["Authorization"], content))
                self.send_response(status)
                self.send_header("Location", self.path)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}/reports/3", heard

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_report_goes_over_a_real_socket_past_any_proxy(
    served: Callable[[int], tuple[str, list[tuple[str, str, bytes]]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, heard = served(202)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    reporter = _Reporter({"SWEEPER_REPORT_URL": url, "SWEEPER_REPORT_TOKEN": TOKEN})

    taken = reporter.report(1, {"loss": 0.5})

    assert taken
    assert heard == [("/reports/3", f"Bearer {TOKEN}", b'{"loss": 0.5, "step": 1}')]


def test_a_redirect_is_not_followed(
    served: Callable[[int], tuple[str, list[tuple[str, str, bytes]]]],
) -> None:
    url, heard = served(307)

    taken = _Reporter({"SWEEPER_REPORT_URL": url}).report(None, {"loss": 0.5})

    assert not taken
    assert len(heard) == 1


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("ftp://127.0.0.1/x", id="another scheme"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("http://127.0.0.1:99999/", id="no port"),
        pytest.param("http://[", id="no address"),
    ],
)
def test_an_address_that_makes_no_sense_gives_no_status(url: str) -> None:
    assert reporting._post(url, b"{}", {}, 1.0) == 0


def test_nobody_listening_gives_no_status() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"

        assert reporting._post(url, b"{}", {}, 1.0) == 0


def test_a_token_that_no_header_can_hold_is_never_shown(
    time: Time, capfd: pytest.CaptureFixture[str]
) -> None:
    environment = {"SWEEPER_REPORT_URL": "http://127.0.0.1:1/", "SWEEPER_REPORT_TOKEN": "se\ncret"}

    taken = _Reporter(environment, now=lambda: time.now, sleep=time.sleep).report(None, {"a": 1.0})

    assert not taken
    assert "cret" not in capfd.readouterr().err


def test_the_file_alone_is_enough_for_a_training() -> None:
    tree = ast.parse(Path(reporting.__file__).read_text(encoding="utf-8"))
    plain = [
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    ]
    froms = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]

    foreign = {name.split(".")[0] for name in plain + froms} - sys.stdlib_module_names

    assert foreign == set()
