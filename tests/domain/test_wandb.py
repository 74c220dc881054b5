from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from sweeper.domain.values import JsonValue
from sweeper.domain.wandb import parameter_file, wandb_variables

_STRINGS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | _STRINGS
)
_VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_STRINGS, inner, max_size=3),
    max_leaves=5,
)


def _read(text: str) -> Any:
    # PyYAML, which W&B's library reads the file with, knows YAML 1.1 only.
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 1)
    return yaml.load(text)


@given(value=_VALUES)
def test_wandb_reads_every_value_back(value: JsonValue) -> None:
    read = _read(parameter_file({"p": value}))

    assert read == {"p": {"value": value}, "wandb_version": 1}
    assert repr(read["p"]["value"]) == repr(value)


def test_small_floats_are_numbers_to_a_reader_of_yaml_1_1() -> None:
    assert parameter_file({"lr": 1e-05}) == '{"lr": {"value": 1.0e-05}, "wandb_version": 1}\n'


def test_a_parameter_cannot_take_the_place_of_the_version() -> None:
    assert _read(parameter_file({"wandb_version": 7}))["wandb_version"] == 1


def test_who_chose_neither_mode_nor_account_works_offline() -> None:
    assert wandb_variables("sweep", "run", {"PATH"}) == {
        "WANDB_RUN_ID": "run",
        "WANDB_RESUME": "allow",
        "WANDB_MODE": "offline",
        "WANDB_SWEEP_ID": "sweep",
    }


@pytest.mark.parametrize("name", ["WANDB_MODE", "WANDB_API_KEY"])
def test_who_chose_a_mode_or_an_account_keeps_it(name: str) -> None:
    assert wandb_variables("sweep", "run", {name}) == {
        "WANDB_RUN_ID": "run",
        "WANDB_RESUME": "allow",
    }
