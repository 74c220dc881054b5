import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.spelling import (
    escape_references,
    refused_character,
    require_legible,
    shown,
    spell,
)
from sweeper.domain.values import JsonValue, freeze
from sweeper.errors import RenderingError
from tests.support.kubernetes import expand


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a b", "a b"),
        (1e-05, "1e-05"),
        (True, "True"),
        (None, "None"),
        (freeze([1, {"lr": 0.1}, "x"]), "[1, {'lr': 0.1}, 'x']"),
    ],
    ids=str,
)
def test_values_are_spelled_as_python_prints_them(value: JsonValue, expected: str) -> None:
    assert spell(value) == expected


@given(value=st.text("$()aA_ "), before=st.text("a)"), after=st.text("$(A)b"))
def test_kubernetes_expands_nothing_that_a_value_brought_in(
    value: str, before: str, after: str
) -> None:
    sent = before + escape_references(value) + after

    assert expand(sent) == before + value + expand(after)


def test_what_kubernetes_leaves_alone_is_sent_as_it_is() -> None:
    assert escape_references("5$ for $HOME ${x}") == "5$ for $HOME ${x}"
    assert escape_references("$(POD_IP)") == "$$(POD_IP)"


@pytest.mark.parametrize(
    "value", ["a\0b", "\x1b[31m", ["ok", {"k": "\x7f"}], {"\x85": 1}, "\ud800"], ids=ascii
)
def test_control_characters_are_found_at_any_depth(value: JsonValue) -> None:
    assert refused_character(value) is not None


@pytest.mark.parametrize("value", ["two\nlines\tand tabs\r", "ü€😀", 3, None, [[1.5]]], ids=ascii)
def test_text_of_any_language_and_lines_are_fine(value: JsonValue) -> None:
    assert refused_character(value) is None


def test_an_illegible_value_is_refused_with_its_name_and_never_shown() -> None:
    with pytest.raises(RenderingError, match=re.escape("parameters.lr: the value holds")) as told:
        require_legible({"ok": 1, "lr": "secret\0"})

    assert "U+0000" in str(told.value)
    assert "secret" not in str(told.value)


def test_names_are_shown_printable_and_short() -> None:
    assert shown("lr\x1b[31m") == r"lr\x1b[31m"
    assert shown("x" * 60) == "x" * 60
    assert shown("x" * 100_000) == "x" * 59 + "…"


def test_an_illegible_value_is_refused_with_a_remedy() -> None:
    with pytest.raises(RenderingError) as told:
        require_legible({"lr": "a\x07"})

    assert str(told.value) == (
        "parameters.lr: the value holds the character U+0007, which no command line can carry: "
        "take it out, or put the value in a file"
    )
