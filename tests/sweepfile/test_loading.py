from typing import Any

import pytest

from sweeper.sweepfile.events import BrokenTextError
from sweeper.sweepfile.loading import MAX_DEPTH, MAX_NODES, load
from sweeper.sweepfile.places import place_of
from tests.sweepfile.files import told


def plain(text: str) -> Any:
    return load(text).root.plain()


def refusal(text: str) -> str:
    with pytest.raises(BrokenTextError) as caught:
        load(text)
    return caught.value.fault.message


def test_every_value_knows_its_place() -> None:
    root = load("a: 1\nb:\n  - x\n  - {c: 2}\n").root

    found = [place_of(root, path) for path in (("a",), ("b",), ("b", 1), ("b", 1, "c"))]

    assert [(each.line, each.column) for each in found] == [(1, 4), (2, 1), (4, 5), (4, 9)]


def test_quoted_words_are_text() -> None:
    assert plain("a: '1e-4'\nb: \"yes\"\nc: |\n  12\n") == {"a": "1e-4", "b": "yes", "c": "12\n"}


def test_an_alias_repeats_what_its_anchor_names() -> None:
    assert plain("a: &x [1, 2]\nb: *x") == {"a": [1, 2], "b": [1, 2]}


def test_a_merge_key_takes_in_keys_that_are_not_given() -> None:
    text = "a: &a {k: 1, l: 1}\nb: &b {l: 2, m: 2}\nc: {k: 0, <<: [*a, *b]}\nd: {<<: *a}"

    assert plain(text)["c"] == {"k": 0, "l": 1, "m": 2}
    assert plain(text)["d"] == {"k": 1, "l": 1}


def test_merged_keys_keep_their_places() -> None:
    root = load("a: &a {k: 1}\nb:\n  <<: *a\n").root

    assert place_of(root, ("b", "k"), key=True).line == 1


def test_only_mappings_can_be_merged() -> None:
    (fault,) = load("a: {<<: 3}").faults

    assert told(fault) == (1, 5, "a.<<")
    assert "alias of a mapping" in fault.message


def test_a_key_given_twice_is_refused_with_both_lines() -> None:
    (fault,) = load("a: 1\nb: 2\na: 3").faults

    assert told(fault) == (3, 1, "a")
    assert "in line 1 and in line 3" in fault.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1: x", "this is 1"),
        ("yes: x", "this is true"),
        ("~: x", "this is null"),
        ("? [a]\n: x", "a list or a mapping"),
        ("{a: b}: x", "a list or a mapping"),
    ],
)
def test_a_key_is_text(text: str, said: str) -> None:
    (fault,) = load(text).faults

    assert said in fault.message
    assert "quote it" in fault.message


@pytest.mark.parametrize("word", [".nan", "-.inf", "1e999", "9" * 101])
def test_a_number_that_no_program_can_take_is_refused(word: str) -> None:
    (fault,) = load(f"a:\n  b: {word}").faults

    assert told(fault) == (2, 6, "a.b")
    assert "quote it" in fault.message


@pytest.mark.parametrize("escape", ["\\0", "\\a", "\\x7f", "\\ud800"])
def test_a_character_that_no_command_line_can_carry_is_refused(escape: str) -> None:
    (fault,) = load(f'a: "x{escape}"').faults

    assert told(fault) == (1, 4, "a")
    assert "take it out" in fault.message


def test_line_ends_and_tabs_in_text_are_fine() -> None:
    assert load('a: "x\\n\\r\\ty"').faults == ()


def test_old_booleans_are_warned_of_once() -> None:
    loaded = load("a: &x [yes]\nb: *x\nno: 1")

    assert [told(each) for each in loaded.warnings] == [(1, 8, "a[0]")]


def test_a_warning_does_not_repeat_the_value_of_a_variable() -> None:
    text = "training: {spec: {environmentVariables: [{name: PIN, value: 01234}]}}"

    (warning,) = load(text).warnings

    assert "1234" not in warning.message
    assert "quote it" in warning.message


@pytest.mark.parametrize("text", ["", "# only a comment", "---", "~", "\n\n"])
def test_an_empty_file_is_refused(text: str) -> None:
    assert "empty" in refusal(text)


@pytest.mark.parametrize(("text", "said"), [("- a", "a list"), ("abc", "text")])
def test_a_file_holds_keys(text: str, said: str) -> None:
    assert f"holds {said}" in refusal(text)


def test_a_file_holds_one_document() -> None:
    assert "second document" in refusal("a: 1\n---\nb: 2")


def test_an_alias_of_nothing_is_refused() -> None:
    assert "*x repeats nothing" in refusal("a: *x")


def test_an_alias_within_itself_is_refused() -> None:
    assert "it has no end" in refusal("a: &x {b: [*x]}")


def test_aliases_count_as_often_as_they_repeat() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]

    assert f"more than {MAX_NODES} values" in refusal("\n".join(lines))


def test_aliases_add_to_the_depth() -> None:
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, MAX_DEPTH + 1)]

    assert f"more than {MAX_DEPTH} deep" in refusal("\n".join(lines))


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_nesting_without_end_is_refused(opening: str) -> None:
    assert f"more than {MAX_DEPTH} deep" in refusal(opening * 2000)


def test_as_many_values_as_allowed_are_read() -> None:
    text = f"a: [{'1,' * 5000}]"

    assert len(plain(text)["a"]) == 5000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!!float 1e-5", 1e-5),
        ("!!float 3", 3.0),
        ('!!int "3"', 3),
        ("!!str 4", "4"),
        ("!!str yes", "yes"),
        ("!!bool yes", True),
        ("!!null ''", None),
    ],
)
def test_a_tag_says_what_kind_of_value_is_meant(text: str, value: object) -> None:
    found = load(f"a: {text}").root.members["a"].value

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["!!float abc", "!!int 1.5", "!!float .nan", "!!bool 1"])
def test_a_tag_that_does_not_fit_its_value_is_a_fault(text: str) -> None:
    (fault,) = load(f"a: {text}").faults

    assert (fault.line, fault.column, fault.path) == (1, 4, "a")
    assert "does not fit" in fault.message
