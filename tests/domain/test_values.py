import json
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.domain.values import JsonValue, canonical_json, digest, freeze, plain

scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@settings(max_examples=50)
@given(value=values)
def test_freezing_changes_no_value(value: JsonValue) -> None:
    assert plain(freeze(value)) == value


@settings(max_examples=50)
@given(value=values)
def test_the_canonical_text_is_json_and_the_same_however_it_is_held(value: JsonValue) -> None:
    text = canonical_json(value)

    assert json.loads(text) == value
    assert canonical_json(freeze(value)) == text
    assert text.isascii()


def test_what_is_frozen_cannot_be_changed() -> None:
    frozen = freeze({"a": [1, {"b": 2}]})

    assert isinstance(frozen, Mapping)
    assert not hasattr(frozen, "__setitem__")
    assert isinstance(frozen["a"], tuple)


def test_the_order_of_keys_does_not_matter() -> None:
    assert canonical_json({"b": 1, "a": 2}) == '{"a":2,"b":1}'
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})


@pytest.mark.parametrize(
    ("one", "other"), [(1, "1"), (1, 1.0), (True, 1), (None, ""), ([], {}), ([1, 2], [2, 1])]
)
def test_different_values_have_different_digests(one: JsonValue, other: JsonValue) -> None:
    assert digest(one) != digest(other)
    assert len(digest(one)) == 16
