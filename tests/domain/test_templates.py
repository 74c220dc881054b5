import re
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.templates import (
    FIXED_NAMES,
    dotted_names,
    fill,
    placeholder_names,
    unknown_placeholders,
)
from sweeper.domain.values import JsonValue
from sweeper.errors import RenderingError
from tests.domain.spaces import space_of
from tests.support.kubernetes import expand

_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]))


def _fill(value: JsonValue, **names: JsonValue) -> JsonValue:
    return fill({"field": value}, names, expanded=True)["field"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${lr}", 0.1),
        ("lr=${lr}", "lr=0.1"),
        ("${lr}${n}", "0.13"),
        ("$${lr}", "${lr}"),
        ("$$$${lr}", "$${lr}"),
        ("$${lr} ${lr}", "${lr} 0.1"),
        ("$", "$"),
        ("$(HOME) $HOME ${", "$(HOME) $HOME ${"),
        ("${flag}", True),
        ("${nothing}", None),
        ("x${nothing}", "xNone"),
        ("${a/b}", "slash"),
    ],
)
def test_placeholders_are_replaced_in_one_pass(text: str, expected: JsonValue) -> None:
    names: dict[str, JsonValue] = {"lr": 0.1, "n": 3, "flag": True, "nothing": None, "a/b": "slash"}

    assert _fill(text, **names) == expected


def test_a_value_that_looks_like_a_placeholder_is_left_alone() -> None:
    assert _fill("x${a}", a="${b} $$", b="never") == "x${b} $$"


def test_strings_are_filled_at_any_depth_and_all_else_stays() -> None:
    value: JsonValue = {"list": [{"n": "${n}"}, 1, None], "flag": True, "${n}": 2}

    assert _fill(value, n=3) == {"list": [{"n": 3}, 1, None], "flag": True, "${n}": 2}


def test_a_field_that_wants_text_gets_text() -> None:
    spec: dict[str, JsonValue] = {
        "environmentVariables": [{"name": "LR", "value": "${lr}"}],
        "image": "${tag}",
        "nodePools": ["${tag}"],
        "compute": {"gpuPortionRequest": "${lr}"},
    }

    assert fill(spec, {"lr": 0.5, "tag": 7}, expanded=True) == {
        "environmentVariables": [{"name": "LR", "value": "0.5"}],
        "image": "7",
        "nodePools": ["7"],
        "compute": {"gpuPortionRequest": 0.5},
    }


@given(value=_TEXT)
def test_a_command_line_gives_back_any_value(value: str) -> None:
    spec: dict[str, JsonValue] = {
        "args": "--x ${x} '--y=${x}'",
        "command": "python train-${x}.py",
    }

    filled = fill(spec, {"x": value}, expanded=False)

    assert shlex.split(str(filled["command"])) == ["python", f"train-{value}.py"]
    assert shlex.split(str(filled["args"])) == ["--x", value, f"--y={value}"]


@given(value=st.text("$() 'aA\""))
def test_kubernetes_gives_back_any_word(value: str) -> None:
    filled = fill({"args": "${x} $(KEEP)"}, {"x": value}, expanded=True)

    words = [expand(word, "kept") for word in shlex.split(str(filled["args"]))]
    assert words == [value, "kept"]


@given(value=st.text("$() 'aA\""))
def test_kubernetes_gives_back_any_variable(value: str) -> None:
    variable: JsonValue = {"name": "X", "value": "${x}"}

    filled: Any = fill({"environmentVariables": [variable]}, {"x": value}, expanded=True)

    assert expand(filled["environmentVariables"][0]["value"]) == value


def test_only_what_kubernetes_expands_is_escaped() -> None:
    assert _fill("${x}!", x="$(A)") == "$(A)!"


def test_a_script_in_args_is_known_by_the_option_that_ends_the_command() -> None:
    spec: dict[str, JsonValue] = {"command": "bash -c", "args": "'train ${x}'"}

    filled = fill(spec, {"x": "; rm -rf /"}, expanded=False)

    (script,) = shlex.split(str(filled["args"]))
    assert shlex.split(script) == ["train", "; rm -rf /"]


def test_a_command_that_is_no_text_is_left_for_the_check() -> None:
    assert fill({"command": ["a", "${x}"]}, {"x": 1}, expanded=True) == {"command": ["a", 1]}


def test_the_order_of_the_fields_is_kept() -> None:
    spec: dict[str, JsonValue] = {"image": "i", "args": "a", "stdin": False, "command": "c"}

    assert list(fill(spec, {}, expanded=True)) == ["image", "args", "stdin", "command"]


def test_an_unknown_name_is_refused_with_place_and_nearest_name() -> None:
    with pytest.raises(RenderingError) as told:
        fill(
            {"storage": {"pvc": [{"path": "/x/${larning_rate}"}]}},
            {"learning_rate": 1},
            expanded=True,
        )

    assert str(told.value) == (
        "training.spec.storage.pvc.0.path: ${larning_rate} names neither a parameter nor one of "
        "sweep, trial, attempt, checkpoint_key: write ${learning_rate}, or $${larning_rate} to "
        "pass it on as it is"
    )


def test_a_backslash_before_a_placeholder_is_refused_with_its_place() -> None:
    with pytest.raises(RenderingError, match=r"training\.spec\.args: \$\{x\}: a backslash"):
        fill({"args": "\\${x}"}, {"x": 1}, expanded=True)


def test_a_command_line_too_long_to_be_one_is_refused() -> None:
    with pytest.raises(RenderingError, match=r"training\.spec\.args: 262145 characters"):
        fill({"args": "x" * (256 * 1024 + 1)}, {}, expanded=True)


def test_every_unknown_placeholder_is_found_with_its_path() -> None:
    spec: dict[str, JsonValue] = {
        "args": "${HOME} $${kept} ${lr} ${}",
        "storage": {"pvc": [{"path": "${outer.inn}"}]},
        "parallelism": 1,
    }

    found = unknown_placeholders(spec, {"lr", "outer.inner"})

    assert [(fault.path, fault.name, fault.nearest) for fault in found] == [
        (("args",), "HOME", None),
        (("args",), "", None),
        (("storage", "pvc", 0, "path"), "outer.inn", "outer.inner"),
    ]
    assert "write $${HOME} to pass it on" in found[0].message


@pytest.mark.parametrize(
    ("name", "names"),
    [("p0x", [f"p{number}" for number in range(101)]), ("p" * 65, ["p" * 64]), ("p", ["p" * 65])],
    ids=["too many names", "too long a placeholder", "too long a name"],
)
def test_no_nearest_name_is_sought_where_that_would_take_long(name: str, names: list[str]) -> None:
    (found,) = unknown_placeholders({"args": f"${{{name}}}"}, names)

    assert found.nearest is None


def test_a_space_offers_its_names_dotted_and_the_fixed_ones() -> None:
    space = space_of({"lr": {"value": 1}, "o": {"parameters": {"i": {"value": 2}}}})

    assert placeholder_names(space) == {"lr", "o", "o.i", *FIXED_NAMES}


def test_params_are_known_by_dotted_names_too() -> None:
    params: dict[str, JsonValue] = {"o": {"i": {"k": 1}, "j": 2}, "o.j": 3}

    assert dotted_names(params) == {**params, "o.i": {"k": 1}, "o.i.k": 1, "o.j": 3}


def test_a_command_line_as_long_as_one_may_be_is_filled() -> None:
    text = "x" * (256 * 1024)

    assert fill({"args": text}, {}, expanded=True)["args"] == text


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        ({"args": "${x}"}, "args"),
        ({"image": "${x}"}, "image"),
        ({"stdin": "${x}"}, "stdin"),
        ({"storage": {"pvc": [{"readOnly": "${x}"}]}}, "storage.pvc.0.readOnly"),
    ],
    ids=str,
)
def test_an_unknown_name_is_told_with_its_place_wherever_it_stands(
    spec: dict[str, JsonValue], place: str
) -> None:
    with pytest.raises(RenderingError, match=rf"^training\.spec\.{re.escape(place)}: \$\{{x\}}"):
        fill(spec, {"lr": 1}, expanded=True)


@pytest.mark.parametrize("key", ["annotations", "labels"])
def test_a_value_is_escaped_nowhere_but_in_variables(key: str) -> None:
    spec: dict[str, JsonValue] = {key: [{"name": "a", "value": "x ${x}"}]}

    assert fill(spec, {"x": "$(X)"}, expanded=True) == {key: [{"name": "a", "value": "x $(X)"}]}


def test_a_variable_is_escaped_in_its_value_alone() -> None:
    spec: dict[str, JsonValue] = {"environmentVariables": [{"name": "n ${x}", "value": "v ${x}"}]}

    assert fill(spec, {"x": "$(X)"}, expanded=True) == {
        "environmentVariables": [{"name": "n $(X)", "value": "v $$(X)"}]
    }


def test_the_nearest_name_is_sought_up_to_the_lengths_that_can_be_compared() -> None:
    long = "p" * 64
    names = [long, *(f"q{number}" for number in range(99))]

    (found,) = unknown_placeholders({"image": f"${{{'p' * 63}x}}"}, names)

    assert found.nearest == long
