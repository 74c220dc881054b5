from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.values import freeze
from sweeper.sweepfile.changes import FREE, difference, digest
from sweeper.sweepfile.loading import load
from tests.sweepfile.files import PLAIN, read

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.sampled_from(["", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=6,
)
DEFINITIONS = st.dictionaries(st.sampled_from(["method", "seed", "parameters", "limits"]), JSON)


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("max: 1.0", "max: 0.2", "parameters.lr.max: 1.0 -> 0.2"),
        ("max: 1.0", "max: 1", "parameters.lr.max: 1.0 -> 1"),
        ("max: 1.0", "max: 1.0, q: 2", "parameters.lr.q: nothing -> 2"),
        ("min: 0.0, ", "", "parameters.lr.min: 0.0 -> nothing"),
        ("method: random", "method: grid", 'method: "random" -> "grid"'),
    ],
)
def test_a_change_is_one_line(before: str, after: str, line: str) -> None:
    text = "{parameters: {lr: {min: 0.0, max: 1.0}}, method: random}"
    old: Any = load(text).root.plain()
    new: Any = load(text.replace(before, after)).root.plain()

    assert difference(old, new) == [line]


def test_lists_are_compared_item_by_item() -> None:
    old: Any = {"zip": [["a", "b"]], "points": [{"a": 1}]}
    new: Any = {"zip": [["a", "c"]], "points": []}

    assert difference(old, new) == ['zip[0][1]: "b" -> "c"', "points: 1 items -> 0 items"]


@pytest.mark.parametrize("key", sorted(FREE))
def test_some_keys_may_change_at_any_start(key: str) -> None:
    old: Any = {"method": "grid", key: 1}
    new: Any = {"method": "grid", key: {"other": 2}}

    assert difference(old, new) == []
    assert digest(old) == digest(new)


def test_very_many_changes_are_counted() -> None:
    old: Any = {f"k{n}": 1 for n in range(60)}

    assert difference(old, {})[-1] == "and 10 more"


def test_the_order_and_the_writing_of_a_file_do_not_matter() -> None:
    swapped = "program: train.py\nname: demo\nmethod: 'random'\nparameters:\n  lr:\n"
    swapped += "    max: 1.0\n    min: 0.0\nlimits: {active: 3}\n"

    assert read(swapped).digest == read(PLAIN).digest


@given(DEFINITIONS, DEFINITIONS)
def test_digests_differ_exactly_when_there_is_a_difference(old: Any, new: Any) -> None:
    assert bool(difference(old, new)) is (digest(old) != digest(new))


@given(DEFINITIONS)
def test_a_definition_out_of_the_store_is_no_change(definition: Any) -> None:
    frozen: Any = freeze(definition)

    assert difference(frozen, definition) == []
