"""What is done with short texts and JSON of people and programs; raises where we are wrong."""

import contextlib
import json
import shlex
import sqlite3
from collections.abc import Callable, Mapping
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, select
from starlette.requests import Request

from sweeper.bootstrap.addresses import read_address
from sweeper.domain.macros import MacroSource, expand_command
from sweeper.domain.record import Report
from sweeper.domain.templates import fill
from sweeper.errors import RenderingError, ReportError, SettingsError
from sweeper.local.commands import read_command
from sweeper.local.filters import QueryError, conditions, ordering
from sweeper.local.listed import add_functions
from sweeper.local.messages import MessageError, Splitter, read_end, read_order
from sweeper.local.requests import RequestError, read_query
from sweeper.local.runtime import StartError
from sweeper.local.sources import Sources
from sweeper.local.spec_reading import read_lifecycle, read_need
from sweeper.local.tables import trainings
from sweeper.local.token_requests import TokenRequestError, read_v1, read_v2
from sweeper.objectives.parsing import parse_line, parse_report
from sweeper.runai.base_url import check_base_url
from sweeper.sweepfile.durations import parse_duration
from sweeper.wire.amounts import parse_amount, read_amount
from sweeper.wire.checking import MAX_ISSUES, check_creation
from sweeper.wire.issues import Side
from sweeper.wire.reading import UnreadableError, read_json
from sweeper.wire.rules.view import Terms
from tests.support.builders import NOW
from tests.support.kubernetes import expand

LONGEST_MESSAGE = 4_000

_RAW = sqlite3.connect(":memory:")
add_functions(_RAW)
_ENGINE = create_engine("sqlite://", creator=lambda: _RAW)
trainings.metadata.create_all(_ENGINE)
_CONSTANTS: Mapping[str, str | Mapping[str, str]] = {
    "type": "Training",
    "projectName": {"1": "vision"},
}


def report(data: bytes) -> None:
    """Read a report as the endpoint does, and as a line of a report file."""
    key = data[:5].decode("latin-1") if data[:1] == b"k" else None
    reads: tuple[Callable[[], Report], ...] = (
        lambda: parse_report(1, data, key, NOW),
        lambda: parse_line(1, data),
    )
    for read in reads:
        try:
            found = read()
        except ReportError as error:
            _bounded(error)
            continue
        assert found.values
        json.dumps(dict(found.values), allow_nan=False)


def listing_query(data: bytes) -> None:
    """Ask the local control plane's table for what a query string wants."""
    request = Request({"type": "http", "query_string": data, "headers": []})
    try:
        query = read_query(request)
        statement = (
            select(trainings)
            .where(*conditions(query, _CONSTANTS))
            .order_by(*ordering(query, _CONSTANTS))
            .limit(query.limit)
            .offset(query.offset)
        )
    except (RequestError, QueryError) as error:
        _bounded(error)
        return
    with _ENGINE.connect() as connection:
        assert connection.execute(statement).all() == []


def quantity(data: bytes) -> None:
    """Read an amount as Kubernetes writes it."""
    text = data.decode("latin-1")
    value = read_amount(text)
    assert value is None or abs(value) < 2**63
    try:
        assert isinstance(parse_amount(text), Fraction)
    except ValueError as error:
        _bounded(error)


def duration(data: bytes) -> None:
    """Read a length of time, as text and as the number that it may be."""
    text = data.decode("utf-8", "replace")
    values: list[object] = [text]
    with contextlib.suppress(ValueError):
        values += [float(text), int(text[:400])]
    for value in values:
        try:
            assert timedelta(0) <= parse_duration(value) <= timedelta.max
        except ValueError as error:
            _bounded(error)


def address(data: bytes) -> None:
    """Read an address to listen at, and one of a control plane."""
    text = data.decode("utf-8", "replace")
    for read in (lambda: read_address(text, "listen"), lambda: check_base_url(text)):
        try:
            read()
        except SettingsError as error:
            _bounded(error)
            _printable(error)


def command(data: bytes) -> None:
    """Expand a command of W&B's macros; its words stay words on the way through one string."""
    text = data.decode("utf-8", "replace").replace("\0", "")
    value, *items = text.split("\n")
    params: dict[str, Any] = {"lr": value, "o": {"k": value, value: 1}, value: True}
    for json_file in (None, "/params/0.json"):
        source = MacroSource(
            program="train.py", params=params, environment={"HOME": value}, json_file=json_file
        )
        try:
            argv = expand_command(items, source)
        except RenderingError as error:
            _bounded(error)
            continue
        words = argv.words or ()
        assert tuple(shlex.split(shlex.join(words))) == words


def template(data: bytes) -> None:
    """Fill a value into a template: no value adds a word, or is expanded by Kubernetes."""
    text = data.decode("utf-8", "replace").replace("\0", "")
    value, _, line = text.partition("\n")
    try:
        plain = fill({"command": "run", "args": line}, {"x": "word"}, expanded=True)
        filled = fill({"command": "run", "args": line}, {"x": value}, expanded=True)
    except RenderingError as error:
        _bounded(error)
        return
    try:
        expected = shlex.split(str(plain["args"]))
    except ValueError:
        return
    words = shlex.split(str(filled["args"]))
    assert len(words) == len(expected), (words, expected)
    if line == "${x}":
        assert [expand(word) for word in words] == [value]


def spec(data: bytes) -> None:
    """Check a create as either side does, then read what the local control plane makes of it."""
    try:
        body = read_json(data)
    except UnreadableError as error:
        _bounded(error)
        return
    for side in Side:
        issues = check_creation(body, Terms(side=side))
        assert len(issues) <= MAX_ISSUES + 1
        for issue in issues:
            assert len(issue.message) <= LONGEST_MESSAGE
            assert issue.message.isprintable(), issue.message
    found = body.get("spec") if isinstance(body, Mapping) else None
    if isinstance(found, Mapping):
        need = read_need(found)
        assert need.gpus >= 0
        read_lifecycle(found)
        try:
            read_command(found, {"HOME": "/root"}, "/work", Sources(state=Path("/nowhere")))
        except StartError as error:
            _bounded(error)


def token_request(data: bytes) -> None:
    """Read a call for a token in both versions."""
    for read in (read_v1, read_v2):
        try:
            read(data)
        except TokenRequestError as error:
            _bounded(error)


def supervisor_message(data: bytes) -> None:
    """Read what a client says to the supervisor of local processes."""
    try:
        for message in Splitter(10_000).feed(data):
            read_order(message)
            read_end(message.get("end"))
    except MessageError as error:
        _bounded(error)


def _bounded(error: Exception) -> None:
    text = error.message if isinstance(error, RequestError) else str(error)
    assert 0 < len(text) <= LONGEST_MESSAGE, len(text)


def _printable(error: Exception) -> None:
    assert str(error).isprintable(), str(error)
