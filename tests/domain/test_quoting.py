import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.quoting import CommandLine

_VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def _written(template: str, *values: str) -> str:
    """Put `values` where `template` has an @."""
    line = CommandLine()
    first, *others = template.split("@")
    line.read(first)
    written = first
    for value, text in zip(values, others, strict=True):
        written += line.quote(value) + text
        line.read(text)
    return written


@pytest.mark.parametrize(
    "template",
    ["@", "--lr=@", "a'@'b", '"@"', "--name='x @ y'", '"it\'s @"', "a\\ @", "'\\'@", '"\\\\@"'],
)
@given(value=_VALUES)
def test_a_value_stays_in_its_word_whatever_it_holds(template: str, value: str) -> None:
    (expected,) = shlex.split(template)

    assert shlex.split(_written(template, value)) == [expected.replace("@", value)]


@given(values=st.tuples(_VALUES, _VALUES))
def test_several_values_give_as_many_words(values: tuple[str, str]) -> None:
    written = _written("run @ --x @", *values)

    assert shlex.split(written) == ["run", values[0], "--x", values[1]]


@pytest.mark.parametrize(
    "template",
    [
        "bash -c 'train --x @'",
        'sh -c "train --x @"',
        "bash -euxc \"train --x '@'\"",
        "sh -c 'train --x \"@\"'",
        'sh -c "train --x \\"@\\""',
        "sh  -c   train\\ --x\\ @",
    ],
)
@given(value=_VALUES)
def test_a_value_in_a_script_is_one_word_for_the_inner_shell(template: str, value: str) -> None:
    *_, script = shlex.split(_written(template, value))

    assert shlex.split(script) == ["train", "--x", value]


def test_the_word_behind_a_script_is_quoted_once() -> None:
    written = _written("sh -c 'train \"$1\"' _ @", "a b")

    assert shlex.split(written) == ["sh", "-c", 'train "$1"', "_", "a b"]


def test_an_empty_script_is_a_word_too() -> None:
    assert _written("sh -c '' @", "a b") == "sh -c '' 'a b'"


def test_an_option_of_its_own_value_is_no_script() -> None:
    assert shlex.split(_written("run -c=@ -x @", "a b", "c d")) == ["run", "-c=a b", "-x", "c d"]


@pytest.mark.parametrize("template", ["\\@", '"\\@"', "sh -c 'echo \\@'"])
def test_a_backslash_right_before_a_value_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="a backslash stands right before it"):
        _written(template, "x")


def test_plain_values_stand_as_they_are() -> None:
    assert _written("--lr=@ --opt @", "1e-05", "sgd") == "--lr=1e-05 --opt sgd"


def test_the_beginning_of_a_long_word_tells_that_it_is_no_option() -> None:
    line = CommandLine()

    line.read("-" + "x" * 1_000 + "c ")

    assert line.quote("a b") == "'a b'"


@pytest.mark.parametrize("template", ['"a\\b @"', '"a\\"b @"', '"a\\\\b @"', "a\\'b\\' @"])
def test_an_escaped_character_in_the_authors_text_is_read_as_shlex_reads_it(template: str) -> None:
    expected = [word.replace("@", "x y") for word in shlex.split(template)]

    assert shlex.split(_written(template, "x y")) == expected


@pytest.mark.parametrize(
    "script", ['"echo \\"@\\""', '"echo \\a @"', "'echo \"@\"'", '"echo \\\\ @"']
)
def test_a_script_is_read_as_its_shell_reads_it(script: str) -> None:
    (_, _, inner) = shlex.split(_written(f"sh -c {script}", "x y"))
    (_, _, plain) = shlex.split(f"sh -c {script}")

    assert shlex.split(inner) == [word.replace("@", "x y") for word in shlex.split(plain)]


@pytest.mark.parametrize("option", ["-\\c", "'-c'", '"-c"', "-'c'", "-lc"])
def test_an_option_is_known_however_it_is_quoted(option: str) -> None:
    (_, _, inner) = shlex.split(_written(f"sh {option} 'echo @'", "x y"))

    assert shlex.split(inner) == ["echo", "x y"]


@pytest.mark.parametrize("option", ['"-\\c"', "'-\\c'", "-c-", "c"])
def test_what_only_looks_like_the_option_is_none(option: str) -> None:
    assert shlex.split(_written(f"sh {option} @", "x y"))[-1] == "x y"


def test_a_quote_that_a_script_escapes_opens_nothing_there() -> None:
    (_, _, inner) = shlex.split(_written("sh -c \"echo \\'@\\'\"", "x y"))

    assert shlex.split(inner) == ["echo", "'x y'"]
