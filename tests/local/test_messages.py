import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.local.messages import (
    Message,
    MessageError,
    Splitter,
    encode,
    end_fields,
    order_message,
    read_end,
    read_number,
    read_order,
)
from sweeper.local.runtime import ProcessEnd, StartOrder
from tests.support.builders import NOW

ORDER = StartOrder(
    key="a",
    argv=("python", "train.py"),
    directory="/work",
    environment={"PATH": "/bin"},
    log_file="/logs/a.log",
    lock_files=("/leases/gpu-0",),
)

JSON_OBJECTS = st.dictionaries(
    st.text(), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())
)


@given(st.lists(JSON_OBJECTS, max_size=5), st.integers(1, 20))
def test_messages_come_out_however_the_bytes_come_in(
    messages: list[Mapping[str, Any]], size: int
) -> None:
    stream = b"".join(map(encode, messages))
    splitter = Splitter(10_000)

    heard: list[Message] = []
    for first in range(0, len(stream), size):
        heard += splitter.feed(stream[first : first + size])

    assert heard == messages


@given(st.binary())
def test_bytes_of_any_kind_are_messages_or_refused(data: bytes) -> None:
    splitter = Splitter(1000)

    try:
        heard = list(splitter.feed(data + b"\n"))
    except MessageError:
        return

    assert all(isinstance(message, dict) for message in heard)


@pytest.mark.parametrize(
    "line",
    [b"", b"[]", b"7", b'{"a"', b"\xff", b"[" * 100_000, b'{"a": ' + b"1" * 5000 + b"}"],
    ids=["empty", "list", "number", "half", "no text", "deep", "huge number"],
)
def test_a_line_that_is_no_object_is_refused(line: bytes) -> None:
    with pytest.raises(MessageError, match="a line that is no JSON"):
        list(Splitter(1_000_000).feed(line + b"\n"))


def test_a_line_without_end_is_refused_once_it_is_too_long() -> None:
    splitter = Splitter(10)
    assert list(splitter.feed(b"x" * 10)) == []

    with pytest.raises(MessageError, match="more than 10 bytes"):
        list(splitter.feed(b"x"))


def test_an_order_survives_its_message() -> None:
    assert read_order(json.loads(encode(order_message(ORDER)))) == ORDER


@pytest.mark.parametrize(
    "change",
    [
        {"key": None},
        {"argv": []},
        {"argv": "python"},
        {"argv": [1]},
        {"directory": ["/"]},
        {"environment": None},
        {"environment": {"a": 1}},
        {"log_file": 7},
        {"lock_files": {}},
    ],
    ids=str,
)
def test_an_order_with_a_field_of_another_type_is_refused(change: Mapping[str, Any]) -> None:
    with pytest.raises(MessageError):
        read_order({**order_message(ORDER), **change})


@pytest.mark.parametrize("code", [0, 137, None])
def test_an_end_survives_its_fields(code: int | None) -> None:
    end = ProcessEnd(key="a", at=NOW, exit_code=code)

    assert read_end(json.loads(json.dumps(end_fields(end)))) == end


@pytest.mark.parametrize(
    "fields",
    [
        None,
        "abc",
        ["a", NOW.isoformat()],
        ["a", NOW.isoformat(), True],
        ["a", NOW.isoformat(), "0"],
        [1, NOW.isoformat(), 0],
        ["a", "yesterday", 0],
        ["a", datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None).isoformat(), 0],
    ],
    ids=str,
)
def test_what_is_no_end_is_refused(fields: object) -> None:
    with pytest.raises(MessageError):
        read_end(fields)


@pytest.mark.parametrize("value", [0, 0.5, 3])
def test_a_number_is_read(value: float) -> None:
    assert read_number({"n": value}, "n") == value


@pytest.mark.parametrize(
    "value", [None, "1", True, -1, float("nan"), float("inf"), 10**400], ids=["none", *"abcdef"]
)
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(MessageError, match="n: a number"):
        read_number({"n": value}, "n")
