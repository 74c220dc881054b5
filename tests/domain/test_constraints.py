import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.constraints import LONGEST, Constraint, parse, value_of
from sweeper.domain.values import Params

PARAMS: Params = {
    "a": 4,
    "b": 0.5,
    "name": "adam",
    "on": True,
    "x.y": 7,
    "inner": {"c": 3, "deep": {"d": 9}},
    "nothing": None,
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("a * b <= 2", True),
        ("a * b < 2", False),
        ("0 < b < 1", True),
        ("0 < b < 0.2", False),
        ("a == 4 and name == 'adam'", True),
        ("a != 4 or name != 'adam'", False),
        ("not (a > 3 and on)", False),
        ("-a + 2 ** 3 - 9 // 2 + 7 % 4 == 3", True),
        ("a / b == 8", True),
        ("x.y > inner.c", True),
        ("inner.deep.d == 9", True),
        ("nothing == None", True),
    ],
)
def test_it_means_what_it_says(text: str, holds: bool) -> None:
    assert parse(text).holds(PARAMS) is holds


@pytest.mark.parametrize(
    "text",
    [
        "a / (b - 0.5) > 0",
        "name * 2 == 'adamadam'",
        "name < 3",
        "a ** 99 > 0",
        "(0 - a) ** b > 0",
        "10 ** 60 ** 2 > a",
        "a * 1e300 * 1e300 > 0",
        "a % 0 == 0",
    ],
)
def test_what_cannot_be_computed_is_not_met(text: str) -> None:
    assert not parse(text).holds(PARAMS)


def test_one_about_a_parameter_that_a_trial_lacks_says_nothing_of_it() -> None:
    assert parse("a > 9 and momentum > 0.5").holds(PARAMS)


def test_its_names_are_those_of_parameters() -> None:
    assert parse("a * x.y <= 0.5 or inner.deep.d > -1").names == {"a", "x.y", "inner.deep.d"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a <", "cannot be read"),
        ("", "cannot be read"),
        ("a = 3", "cannot be read"),
        ("(" * 300 + "a", "cannot be read"),
        ("1 < 2", "speaks of no parameter"),
        ("a", "compares nothing"),
        ("a * 2", "compares nothing"),
        ("len(a) > 2", "holds a call"),
        ("__import__('os').system('true') == 0", "holds a call"),
        ("a[0] > 1", "holds a subscript"),
        ("[x for x in a] == 1", "holds a listcomp"),
        ("(lambda: a)() > 1", "holds a call"),
        ("a in (1, 2)", "holds a"),
        ("a < 1 if on else 2", "holds a ifexp"),
        ("f'{a}' == '4'", "holds a joinedstr"),
        ("a < 3j", "no parameter can have"),
        ("b'x' == a", "no parameter can have"),
        ("a" * (LONGEST + 1), "characters"),
        ("(a + 1).b > 3", "stands in no name"),
        ("a\x00 > 1", "cannot be read"),
    ],
)
def test_what_is_no_constraint_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(text)


@given(st.text(alphabet="ab.<>=+-*/%() 0123456789'\"andortN", max_size=60))
def test_whatever_is_written_is_read_or_refused_and_never_breaks(text: str) -> None:
    try:
        constraint = parse(text)
    except ValueError:
        return
    assert constraint.holds(PARAMS) in {True, False}
    assert isinstance(constraint, Constraint)


def test_a_name_with_dots_is_looked_for_as_it_is_first() -> None:
    assert value_of({"a.b": 1, "a": {"b": 2}}, "a.b") == 1
    assert value_of({"a": {"b": 2}}, "a.b") == 2
    with pytest.raises(LookupError):
        value_of({"a": 3}, "a.b")
