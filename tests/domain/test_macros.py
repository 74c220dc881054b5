from typing import Any

import pytest

from sweeper.domain.macros import Argv, MacroSource, expand_command
from sweeper.domain.values import JsonValue
from sweeper.errors import RenderingError
from tests.domain.spaces import exact, recorded


def _source(**fields: Any) -> MacroSource:
    given: dict[str, Any] = {"program": "train.py", "params": {"lr": 0.1}, "environment": {}}
    return MacroSource(**given | fields)


def _words(*command: str, **params: JsonValue) -> tuple[str, ...] | None:
    return expand_command(command, _source(params=params)).words


@pytest.mark.parametrize("row", recorded("argv"), ids=lambda row: exact(row["command"]))
def test_a_command_becomes_the_argv_that_the_agent_of_wandb_starts(row: dict[str, Any]) -> None:
    source = {name: value for name, value in row.items() if name not in {"command", "argv"}}

    argv = expand_command(row["command"], MacroSource(**source))

    assert argv.words == tuple(row["argv"])


def test_params_stand_in_alphabetical_order() -> None:
    assert _words("${args}", b=1, a=2, C=3) == ("--C=3", "--a=2", "--b=1")


def test_an_empty_command_is_the_default() -> None:
    words = expand_command((), _source()).words

    assert words == ("/usr/bin/env", "python", "train.py", "--lr=0.1")


@pytest.mark.parametrize("command", [None, ("${interpreter}", "${program}")])
def test_without_a_program_there_is_nothing_to_start(command: tuple[str, ...] | None) -> None:
    argv = expand_command(command, _source(program=None))

    assert argv == Argv(words=None, notices=("there is no program to start: add `program:`",))


def test_a_command_that_names_no_program_needs_none() -> None:
    argv = expand_command(("run", "${args}"), _source(program=None))

    assert argv == Argv(words=("run", "--lr=0.1"))


@pytest.mark.parametrize(
    ("item", "word"),
    [
        ("${lr}", "0.1"),
        ("--lr=${lr}", "--lr=0.1"),
        ("${lr}:${o.k}", "0.1:a b"),
        ("${o}", "{'k': 'a b'}"),
        ("--x=${nobody}/${lr}", "--x=${nobody}/0.1"),
    ],
)
def test_a_parameter_is_replaced_alone_and_inside_an_item(item: str, word: str) -> None:
    argv = expand_command((item,), _source(params={"lr": 0.1, "o": {"k": "a b"}}))

    assert argv.words == (word,)
    assert "which W&B does not do" in argv.notices[0]


def test_a_macro_of_wandb_wins_over_a_parameter_of_its_name() -> None:
    assert _words("${args}", args=1) == ("--args=1",)


def test_a_parameter_used_twice_is_told_once() -> None:
    argv = expand_command(("${lr}", "${lr}"), _source())

    assert len(argv.notices) == 1


def test_an_unknown_item_is_dropped_and_told() -> None:
    argv = expand_command(("run", "${batch_size}"), _source())

    assert argv.words == ("run",)
    assert argv.notices == ("${batch_size} is no macro and no parameter: it is dropped, as by W&B",)


def test_a_command_of_which_nothing_is_left_starts_nothing() -> None:
    assert _words("${nobody}") is None


def test_a_variable_that_is_not_set_becomes_its_name_and_is_told() -> None:
    argv = expand_command(("--user=${envvar:USER}",), _source())

    assert argv.words == ("--user=USER",)
    assert argv.notices == ("USER is not set: ${envvar:USER} becomes its name, as with W&B",)


def test_the_json_file_is_refused_where_no_file_can_be_brought() -> None:
    with pytest.raises(RenderingError, match=r"use \$\{args_json\}"):
        expand_command(("${args_json_file}",), _source())


def test_values_are_protected_and_the_text_of_the_author_is_not() -> None:
    command = ("--keep=$", "--a=${a}", "${a}", "${envvar:E}", "${args}", "${args_json}")
    source = _source(params={"a": "$"}, environment={"E": "$"}, protect=lambda text: f"<{text}>")

    argv = expand_command(command, source)

    assert argv.words == ("--keep=$", "--a=<$>", "<$>", "<$>", "<--a=$>", '<{"a": "$"}>')


def test_the_json_file_is_refused_with_what_to_use_instead() -> None:
    with pytest.raises(RenderingError) as told:
        expand_command(("${args_json_file}",), _source())

    assert str(told.value) == (
        "command: ${args_json_file} needs a file, and none can be brought to Run:ai: use "
        "${args_json}, or read SWEEPER_PARAMS"
    )


def test_a_replaced_parameter_is_told_as_the_author_wrote_it() -> None:
    argv = expand_command(("--lr=${lr}",), _source())

    assert argv.notices == ("${lr} is replaced by the parameter, which W&B does not do",)
