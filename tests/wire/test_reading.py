import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.wire.reading import MAX_DEPTH, UnreadableError, is_too_deep, read_json
from tests.wire.generating import LIGHT


def _nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"{}", {}),
        (b'\xef\xbb\xbf{"a": [1, 1.5, null, true]}', {"a": [1, 1.5, None, True]}),
        (b'"\\ud83d\\ude00"', "😀"),
        ("“é”".join(['"', '"']).encode(), "“é”"),
    ],
)
def test_json_is_read(content: bytes, value: object) -> None:
    assert read_json(content) == value


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON at line 1, column 1"),
        (b"<html>", "not JSON at line 1, column 1"),
        (b'{"a": 1,}', "not JSON at line 1, column 9"),
        (b"\xff\xfe", "not UTF-8 at byte 0"),
        (b'{"a": 1, "a": 2}', "an object holds a key twice"),
        (b"[NaN]", "NaN is no JSON number"),
        (b"[-Infinity]", "-Infinity is no JSON number"),
        (b"[1e400]", "a number is beyond what a double can hold"),
        (b"[" + b"1" * 401 + b"]", "a number has more than 400 digits"),
        (b'["\\ud800"]', "a text holds half a surrogate pair"),
        (b'{"\\udfff": 1}', "a text holds half a surrogate pair"),
        (_nested(MAX_DEPTH + 2), f"nested deeper than {MAX_DEPTH} levels"),
        (_nested(200_000), f"nested deeper than {MAX_DEPTH} levels"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_reason(content: bytes, message: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_json(content)

    assert str(caught.value) == message


def test_a_refusal_holds_none_of_the_content() -> None:
    with pytest.raises(UnreadableError) as caught:
        read_json(b'{"token": hidden-value}')

    assert "hidden" not in str(caught.value)


def test_as_many_levels_as_allowed_are_read() -> None:
    assert not is_too_deep(read_json(_nested(MAX_DEPTH)))


def test_depth_counts_objects_and_lists_alike() -> None:
    value: object = 1
    for _ in range(MAX_DEPTH + 1):
        value = {"a": (value,)}

    assert is_too_deep(value)  # type: ignore[arg-type] # a JSON value, built level by level


@given(st.binary(max_size=40))
@LIGHT
def test_no_bytes_raise_anything_else(content: bytes) -> None:
    try:
        value = read_json(content)
    except UnreadableError:
        return

    assert json.loads(content.decode("utf-8-sig")) == value
