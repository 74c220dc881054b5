import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.values import JsonValue, plain
from sweeper.errors import StoreError
from sweeper.store.texts import from_json, legible, to_json, with_nul, without_nul

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@given(_JSON)
def test_a_value_comes_back_with_its_types(value: JsonValue) -> None:
    found = plain(from_json(to_json(value)))

    assert repr(found) == repr(value)


def test_keys_keep_their_order() -> None:
    assert to_json({"b": 1, "a": 2}) == '{"b":1,"a":2}'


_NESTED: JsonValue = []
for _ in range(100_000):
    _NESTED = [_NESTED]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(float("nan"), id="nan"),
        pytest.param([{"a": float("-inf")}], id="infinity"),
        pytest.param(10**5000, id="wider than Python writes out"),
        pytest.param(object(), id="no JSON at all"),
        pytest.param(_NESTED, id="bottomless"),
    ],
)
def test_what_json_cannot_hold_is_refused(value: JsonValue) -> None:
    with pytest.raises(StoreError, match="cannot be kept as JSON"):
        to_json(value)


@given(st.text())
def test_every_text_can_be_made_legible(text: str) -> None:
    made = legible(text)

    assert made.encode("utf-8").decode("utf-8") == made


def test_only_lone_surrogates_are_written_out() -> None:
    assert legible("é🛑\ud83d\n") == "é🛑\\ud83d\n"


@given(st.text(alphabet="a\0\ue00001") | st.text())
def test_a_text_without_nul_is_turned_back_into_the_one_with_it(text: str) -> None:
    kept = without_nul(text)

    assert "\0" not in kept
    assert with_nul(kept) == text


@given(st.text(alphabet="a\0\ue00001"), st.text(alphabet="a\0\ue00001"))
def test_two_texts_stay_two_without_nul(one: str, other: str) -> None:
    assert (without_nul(one) == without_nul(other)) == (one == other)
