import json
import logging
import sys
import warnings
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.telemetry.logs import JsonFormatter, LineFormatter, LineHandler, log_lines

_SECRET = "hunter2-hunter2"
_TOKEN = "Bearer abcdef123456"

log = logging.getLogger("sweeper.tests.logs")


def _secrets() -> list[str]:
    return [_SECRET]


@pytest.fixture
def text() -> Iterator[list[str]]:
    lines: list[str] = []
    with log_lines(secrets=_secrets, write=lines.append):
        yield lines


@pytest.fixture
def objects() -> Iterator[list[str]]:
    lines: list[str] = []
    with log_lines(as_json=True, secrets=_secrets, write=lines.append):
        yield lines


def _fail(message: str, cause: Exception | None = None) -> None:
    """Log an exception as code under test would, with a traceback."""
    try:
        _raise(ValueError(message), cause)
    except ValueError:
        log.exception("failed")


def _raise(error: Exception, cause: Exception | None) -> None:
    raise error from cause


def _a_record(message: str = "a message", *args: object, **extra: object) -> logging.LogRecord:
    record = logging.LogRecord("sweeper.x", logging.INFO, "x.py", 7, message, args, None)
    record.created = 1_772_366_400.5
    record.__dict__.update(extra)
    return record


def test_a_line_has_time_level_and_message() -> None:
    line = LineFormatter(_secrets).format(_a_record("%s of %s", 1, 2))

    assert line == "2026-03-01T12:00:00.500Z INFO    1 of 2"


def test_a_json_line_has_the_fields_of_the_record() -> None:
    record = _a_record(
        sweep="demo", trial=3, attempt=1, workload_name="demo-3-1", to="active", unknown="x"
    )
    record.__dict__["from"] = "submitting"

    assert json.loads(JsonFormatter(_secrets).format(record)) == {
        "time": "2026-03-01T12:00:00.500Z",
        "level": "INFO",
        "logger": "sweeper.x",
        "message": "a message",
        "sweep": "demo",
        "trial": 3,
        "attempt": 1,
        "workload_name": "demo-3-1",
        "from": "submitting",
        "to": "active",
    }


def test_a_field_that_is_no_text_becomes_text() -> None:
    line = JsonFormatter(_secrets).format(_a_record(reason=["a\nb"]))

    fields = json.loads(line, parse_constant=pytest.fail)
    assert fields["reason"] == r"['a\\nb']".replace("\\\\", "\\")


@pytest.mark.parametrize("value", [float("nan"), "3", True, 3.0])
def test_a_number_that_is_none_is_left_out(value: object) -> None:
    line = JsonFormatter(_secrets).format(_a_record(trial=value, sweep="demo"))

    assert json.loads(line)["sweep"] == "demo"
    assert "trial" not in json.loads(line)


def test_what_all_lines_are_about_stands_in_each_that_says_nothing_else(
    objects: list[str],
) -> None:
    (handler,) = (one for one in logging.getLogger().handlers if isinstance(one, LineHandler))

    handler.about(sweep="demo", project_id=None)
    log.info("of this one")
    log.info("of another", extra={"sweep": "other", "trial": 3})

    fields = [json.loads(line) for line in objects]
    assert [line["sweep"] for line in fields] == ["demo", "other"]
    assert [line.get("trial") for line in fields] == [None, 3]
    assert "project_id" not in fields[0]


@given(
    message=st.text(st.characters(codec=None, exclude_categories=()), max_size=50),
    reason=st.none() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=9),
)
def test_every_json_line_is_one_line_of_strict_json(message: str, reason: object) -> None:
    line = JsonFormatter(_secrets).format(_a_record("%s", message, reason=reason))

    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line, parse_constant=pytest.fail)["level"] == "INFO"


def test_text_of_a_server_cannot_forge_a_line(text: list[str]) -> None:
    log.info("it said %s", "no\n2026-03-01T12:00:00Z INFO    all is well\x1b[2J")

    assert len(text) == 1
    assert text[0].isprintable()
    assert r"\n2026" in text[0]


def test_no_secret_is_written_in_text(text: list[str]) -> None:
    _log_canaries()

    assert len(text) == 4
    assert not _leaks("\n".join(text))
    assert "***" in text[0]


def test_no_secret_is_written_in_json(objects: list[str]) -> None:
    _log_canaries()

    assert len(objects) == 4
    assert not _leaks("\n".join(objects))
    assert json.loads(objects[2])["reason"] == "***"
    assert "ValueError: ***" in json.loads(objects[3])["exception"]


def _log_canaries() -> None:
    log.warning(f"message {_SECRET} {_TOKEN}")  # noqa: G004 # the secret stands in the message
    log.warning("args %s %r", _SECRET, {"header": _TOKEN})
    log.warning("extra", extra={"reason": _SECRET})
    _fail(_SECRET, RuntimeError(_TOKEN))


def _leaks(text: str) -> bool:
    return _SECRET in text or "abcdef123456" in text


def test_a_secret_that_spans_where_a_line_is_cut_does_not_show(text: list[str]) -> None:
    log.info("%s", "x" * 7_990 + _SECRET)

    assert "hunter" not in text[0]


def test_a_secret_at_the_end_of_what_is_read_does_not_show(text: list[str]) -> None:
    log.info("%s", "Bearer 1234567 " * 6_666 + _SECRET)

    assert "hunter" not in text[0]
    assert len(text[0]) < 10_000


def test_a_traceback_follows_indented(text: list[str]) -> None:
    _fail("one\ntwo")

    first, *others = text[0].splitlines()
    assert first.endswith("ERROR   failed")
    assert all(line.startswith("    ") for line in others)
    assert others[-2:] == ["    ValueError: one", "    two"]


def test_a_traceback_keeps_its_end(text: list[str]) -> None:
    _fail("\n".join(str(number) for number in range(1_000)))

    lines = text[0].splitlines()
    assert len(lines) == 201
    assert lines[-1] == "    999"


@pytest.mark.parametrize(("level", "count"), [("debug", 3), ("INFO", 2), ("warning", 1)])
def test_the_level_bounds_what_is_written(level: str, count: int) -> None:
    lines: list[str] = []

    with log_lines(level=level, secrets=_secrets, write=lines.append):
        log.debug("a")
        log.info("b")
        log.warning("c")

    assert len(lines) == count


@pytest.mark.parametrize("name", ["httpx", "httpcore.http11", "uvicorn.error", "alembic"])
def test_libraries_are_quiet_until_they_warn(name: str) -> None:
    lines: list[str] = []

    with log_lines(level="debug", secrets=_secrets, write=lines.append):
        logging.getLogger(name).info("GET /?token=x")
        logging.getLogger(name).warning("no answer")

    assert [line.split(maxsplit=2)[2] for line in lines] == ["no answer"]


def test_warnings_of_python_are_lines_too(text: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(capture=False)

    assert len(text) == 1
    assert "DeprecationWarning: old" in text[0]


def test_logging_is_put_back_as_it_was() -> None:
    root, httpx = logging.getLogger(), logging.getLogger("httpx")
    before = (root.handlers[:], root.level, httpx.level)

    with log_lines(level="debug", secrets=_secrets, write=lambda _: None) as handler:
        assert root.handlers == [handler]

    assert (root.handlers[:], root.level, httpx.level) == before


def test_lines_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with log_lines(secrets=_secrets):
        log.info("here")

    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("INFO    here\n")


def test_lines_can_be_routed_elsewhere_for_a_while() -> None:
    usual: list[str] = []
    above: list[str] = []

    with log_lines(secrets=_secrets, write=usual.append) as handler:
        with handler.routed(above.append):
            log.info("a")
        log.info("b")

    assert [len(usual), len(above)] == [1, 1]
    assert above[0].endswith("a")


def test_a_broken_log_call_loses_its_line_and_no_secret(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines: list[str] = []

    with log_lines(secrets=_secrets, write=lines.append):
        log.info("%d", _SECRET)

    assert "A log line is lost (TypeError at " in lines[0]
    assert not _leaks(lines[0] + "".join(capsys.readouterr()))


def test_a_closed_stderr_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed:
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Closed())

    with log_lines(secrets=_secrets) as handler:
        log.info("nobody listens")

    assert isinstance(handler, LineHandler)


def test_secrets_are_asked_for_with_every_line() -> None:
    lines: list[str] = []
    live: list[str] = []

    with log_lines(secrets=lambda: live, write=lines.append):
        log.info("renewed-token")
        live.append("renewed-token")
        log.info("renewed-token")

    assert [line.split()[-1] for line in lines] == ["renewed-token", "***"]
