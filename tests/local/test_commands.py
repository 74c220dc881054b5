from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.local.commands import Command, expand, ignored_fields, read_command
from sweeper.local.runtime import StartError
from sweeper.local.sources import Sources


def command(inherited: Any = None, **spec: Any) -> Command:
    spec.setdefault("command", "true")
    return read_command(spec, inherited or {}, "/work", Sources(state=Path("/nowhere")))


def variable(name: str = "LR", **members: Any) -> Any:
    return {"environmentVariables": [{"name": name, **members}]}


@pytest.mark.parametrize(
    ("spec", "argv"),
    [
        ({"command": "python"}, ("python",)),
        (
            {"command": "python -m train", "args": "--lr 0.1"},
            ("python", "-m", "train", "--lr", "0.1"),
        ),
        ({"command": None, "args": "echo"}, ("echo",)),
        (
            {"command": "sh", "args": "-c 'echo \"$HOME\" && exit 3'"},
            ("sh", "-c", 'echo "$HOME" && exit 3'),
        ),
        ({"command": "echo", "args": "''"}, ("echo", "")),
    ],
)
def test_command_and_args_are_split_as_a_shell_would(
    spec: dict[str, Any], argv: tuple[str, ...]
) -> None:
    assert command(**spec).argv == argv


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$(A)", "1"),
        ("<$(A)$(A)>", "<11>"),
        ("$$(A)", "$(A)"),
        ("$(B)", "$(B)"),
        ("$A ${A} $", "$A ${A} $"),
        ("$(A", "$(A"),
        ("$$$(A)", "$1"),
    ],
)
def test_references_are_replaced_as_kubernetes_does(text: str, found: str) -> None:
    assert expand(text, {"A": "1"}) == found


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet="$()AB ", max_size=12))
def test_an_escaped_text_comes_back_as_it_was(text: str) -> None:
    assert expand(text.replace("$", "$$"), {"A": "1"}) == text


def test_variables_of_the_spec_go_before_inherited_ones() -> None:
    found = command({"LR": "1", "PATH": "/bin"}, **variable(value="2"))

    assert found.environment == {"LR": "2", "PATH": "/bin"}


def test_a_variable_may_refer_to_one_before_it() -> None:
    spec: Any = {
        "environmentVariables": [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)$(C)"}]
    }

    assert command(**spec).environment["B"] == "1$(C)"


@pytest.mark.parametrize(
    "items",
    [
        None,
        "no list",
        [None, 7],
        [{"value": "no name"}],
        [{"name": "LR", "value": "1", "exclude": True}],
    ],
)
def test_what_is_no_variable_is_left_out(items: Any) -> None:
    assert command(environmentVariables=items).environment == {}


def test_a_variable_without_a_value_is_empty() -> None:
    assert command(**variable()).environment == {"LR": ""}


@pytest.mark.parametrize("source", ["secret", "configMap", "podFieldRef"])
def test_a_value_that_does_not_exist_names_its_variable(source: str) -> None:
    with pytest.raises(StartError, match=rf"\[0\] \(LR\): {source}"):
        command(**variable("LR", **{source: {"name": "a", "key": "b"}}))


def test_a_value_comes_from_a_config_map(tmp_path: Path) -> None:
    (tmp_path / "configmaps" / "a").mkdir(parents=True)
    (tmp_path / "configmaps" / "a" / "b").write_text("7")
    spec: Any = variable("LR", configMap={"name": "a", "key": "b"})

    found = read_command({"command": "a", **spec}, {}, "/work", Sources(state=tmp_path))

    assert found.environment == {"LR": "7"}


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"command": None}, "name the program in spec.command"),
        ({"command": "echo 'half"}, "spec.command cannot be split"),
        ({"args": "'half"}, "spec.args cannot be split"),
        ({"command": "a\0b"}, "NUL"),
        (variable("A=B", value="1"), r"\[0\].name is no name"),
        (variable("", value="1"), r"\[0\].name is no name"),
        (variable(value="a\0"), "NUL"),
    ],
)
def test_what_cannot_be_started_says_why(spec: dict[str, Any], words: str) -> None:
    with pytest.raises(StartError, match=words):
        command(**spec)


def test_no_value_of_a_variable_shows_in_a_refusal_or_a_representation() -> None:
    with pytest.raises(StartError) as refusal:
        command(**variable(value="hunter2\0"))

    assert "hunter2" not in str(refusal.value)
    assert "hunter2" not in repr(command(**variable(value="hunter2")))


@pytest.mark.parametrize(("given", "found"), [(None, "/work"), ("/data", "/data"), (7, "/work")])
def test_the_directory_is_the_specs_own_when_it_has_one(given: Any, found: str) -> None:
    assert command(workingDir=given).directory == found


def test_what_means_nothing_here_is_named() -> None:
    spec: Any = {
        "image": "pytorch",
        "storage": {},
        "security": None,
        "parallelism": 2,
        "tty": False,
        "command": "a",
    }

    assert ignored_fields(spec) == ("image",)
    assert ignored_fields({"storage": {"nfs": [{}], "git": [{}]}}) == ("storage.nfs",)
