"""What a supervisor and its clients say to each other: one JSON object to a line.

A client asks with `{"id": n, "do": verb, ...}` and hears `{"id": n, ...}`, with `error` and
`message` where it was refused; ends come unasked as `{"end": ...}`. Whatever else arrives is
hostile or half a message, and ends the connection, never the process.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from sweeper.local.runtime import ProcessEnd, StartOrder

LONGEST_REQUEST = 8 * 1024 * 1024
"""The most bytes of one request: Linux itself takes no longer arguments and environment."""

Message: TypeAlias = Mapping[str, Any]


class MessageError(Exception):
    """What came is not a message of this protocol."""


def encode(message: Message) -> bytes:
    """Return the line that says `message`; undecodable bytes in its texts survive."""
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


class Splitter:
    """Cuts a stream of bytes into messages, each of at most `longest` bytes."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield every message that `data` completes.

        Raises:
            MessageError: a line is too long or says nothing; nothing after it can be trusted.
        """
        searched = len(self._rest)
        self._rest += data
        while (end := self._rest.find(b"\n", searched)) >= 0:
            line = bytes(self._rest[:end])
            del self._rest[: end + 1]
            searched = 0
            yield _decode(line)
        if len(self._rest) > self._longest:
            raise MessageError(f"a message of more than {self._longest} bytes")


def _decode(line: bytes) -> Message:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise MessageError("a line that is no JSON") from error
    if not isinstance(message, dict):
        raise MessageError("a line that is no JSON object")
    return message


def order_message(order: StartOrder) -> Message:
    """Return the fields of a request that gives `order`."""
    return {
        "key": order.key,
        "argv": list(order.argv),
        "directory": order.directory,
        "environment": dict(order.environment),
        "log_file": order.log_file,
        "lock_files": list(order.lock_files),
        "stdin": order.stdin,
    }


def read_order(message: Message) -> StartOrder:
    """Return the order that a request gives.

    Raises:
        MessageError: a field is missing or of another type.
    """
    argv = read_texts(message, "argv")
    environment = message.get("environment")
    if not argv or not isinstance(environment, dict):
        raise MessageError("an order without arguments or environment")
    if not all(isinstance(value, str) for value in environment.values()):
        raise MessageError("an order whose environment holds more than texts")
    return StartOrder(
        key=read_text(message, "key"),
        argv=argv,
        directory=read_text(message, "directory"),
        environment=environment,
        log_file=read_text(message, "log_file"),
        lock_files=read_texts(message, "lock_files"),
        stdin=message.get("stdin") is True,
    )


def end_fields(end: ProcessEnd) -> Sequence[object]:
    """Return an end as JSON holds it."""
    return [end.key, end.at.isoformat(), end.exit_code]


def read_end(fields: object) -> ProcessEnd:
    """Return the end that `end_fields` wrote.

    Raises:
        MessageError: these are not its fields.
    """
    match fields:
        case [str(key), str(at), None | int() as code] if not isinstance(code, bool):
            return ProcessEnd(key=key, at=_read_time(at), exit_code=code)
        case _:
            raise MessageError("an end without key, time and exit code")


def read_text(message: Message, field: str) -> str:
    """Return a field that holds a text; raise MessageError where it does not."""
    value = message.get(field)
    if not isinstance(value, str):
        raise MessageError(f"{field}: a text is missing")
    return value


def read_texts(message: Message, field: str) -> tuple[str, ...]:
    """Return a field that holds a list of texts; raise MessageError where it does not."""
    values = message.get(field)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise MessageError(f"{field}: a list of texts is missing")
    return tuple(values)


def read_number(message: Message, field: str) -> float:
    """Return a field that holds a finite number of 0 or more, or raise MessageError."""
    value = message.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MessageError(f"{field}: a number is missing")
    try:
        number = float(value)
    except OverflowError as error:
        raise MessageError(f"{field}: a number too large") from error
    if not math.isfinite(number) or number < 0:
        raise MessageError(f"{field}: a number of 0 or more is missing")
    return number


def _read_time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise MessageError("a time that is none") from error
    if time.tzinfo is None:
        raise MessageError("a time without its zone")
    return time
