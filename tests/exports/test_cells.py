import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.exports.cells import number_of, text_of, visible


@given(st.text())
def test_what_is_visible_moves_no_cursor(text: str) -> None:
    shown = visible(text)

    assert not any(unicodedata.category(character)[0] == "C" for character in shown)
    assert len(shown.splitlines()) <= 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("loss ✓ é", "loss ✓ é", id="plain"),
        pytest.param("\x1b[31mred", "\\x1b[31mred", id="colour"),
        pytest.param("a\nb\tc\x00", "a\\nb\\tc\\x00", id="breaks"),
        pytest.param("abc\u202edef", "abc\\u202edef", id="reversed"),
        pytest.param("\ud800", "\\ud800", id="surrogate"),
    ],
)
def test_what_does_not_print_is_shown_by_its_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(None, "", id="none"),
        pytest.param(True, "true", id="bool"),
        pytest.param(1e-05, "1e-05", id="float"),
        pytest.param("x\ny", "x\\ny", id="text"),
        pytest.param([1, {"a": "é"}], '[1, {"a": "é"}]', id="list"),
        pytest.param(10**40, "1" + "0" * 40, id="large"),
    ],
)
def test_every_value_has_a_text(value: Any, text: str) -> None:
    assert text_of(value) == text


def test_a_number_is_rounded_for_people() -> None:
    assert number_of(0.1 + 0.2) == "0.3"
    assert number_of(123456789) == "123456789"
