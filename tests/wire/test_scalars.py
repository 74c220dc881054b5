import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sweeper.wire.compute import ComputeSpec
from sweeper.wire.container import HttpGet
from sweeper.wire.metadata import Label
from sweeper.wire.scalars import AMOUNT_PATTERN, is_amount, is_host_name, is_uuid
from sweeper.wire.storage import HostPath
from sweeper.wire.training import TrainingSpec
from tests.wire.generating import LIGHT

UUID = "71f69d83-ba66-4822-adf5-55ce55efd210"


@pytest.mark.parametrize("text", [UUID, UUID.upper()])
def test_a_uuid_is_its_usual_form(text: str) -> None:
    assert is_uuid(text)


@pytest.mark.parametrize("text", ["", UUID + "\n", UUID.replace("-", ""), f"{{{UUID}}}", UUID[:-1]])
def test_no_other_form_is_a_uuid(text: str) -> None:
    assert not is_uuid(text)


@pytest.mark.parametrize("text", ["a", "a.b", "10.0.0.1", "A-1.example", "a" * 63])
def test_a_host_name_has_labels_and_dots(text: str) -> None:
    assert is_host_name(text)


@pytest.mark.parametrize(
    "text", ["", ".", "a..b", "-a", "a-", "a_b", "a b", "a\n", "a" * 64, "a." * 200]
)
def test_nothing_else_is_a_host_name(text: str) -> None:
    assert not is_host_name(text)


@given(st.text("0123456789.eEinumkKMGTP+-x\n", max_size=8))
@LIGHT
def test_amounts_are_what_the_contracts_pattern_takes_in_full(text: str) -> None:
    assert is_amount(text) == (re.fullmatch(AMOUNT_PATTERN[1:-1], text) is not None)


def test_a_long_text_is_no_amount_at_once() -> None:
    assert not is_amount("1" * 1_000_000 + "x")


@pytest.mark.parametrize("number", [0, 1, 0.5, 10**300], ids=str)
def test_a_number_is_kept_as_it_was_written(number: float) -> None:
    model = ComputeSpec.model_validate({"cpuCoreRequest": number})

    assert model.given() == {"cpuCoreRequest": number}
    assert type(model.cpu_core_request) is type(number)


@pytest.mark.parametrize(
    ("model", "members"),
    [
        (TrainingSpec, {"completions": "1"}),
        (TrainingSpec, {"completions": True}),
        (TrainingSpec, {"completions": 1.0}),
        (TrainingSpec, {"tty": 1}),
        (TrainingSpec, {"args": 1}),
        (TrainingSpec, {"args": ""}),
        (TrainingSpec, {"args": b"x"}),
        (ComputeSpec, {"cpuCoreRequest": True}),
        (ComputeSpec, {"cpuMemoryRequest": "10Gi\n"}),
        (HttpGet, {"path": "/a\n"}),
        (HttpGet, {"host": "a\n"}),
        (HttpGet, {"port": 65536}),
        (Label, {"name": "n" * 64}),
        (Label, {"colour": "red"}),
        (HostPath, {"read_only": True}),
    ],
)
def test_types_and_patterns_are_strict(model: Any, members: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(members)


def test_a_default_acts_and_is_not_written_back() -> None:
    model = HostPath.model_validate({"path": "/a"})

    assert model.read_only is True
    assert model.given() == {"path": "/a"}


def test_a_null_is_written_back() -> None:
    assert TrainingSpec.model_validate({"args": None}).given() == {"args": None}


def test_a_spec_shows_no_value_of_a_variable() -> None:
    variables = [{"name": "A", "value": "hidden-value"}]

    model = TrainingSpec.model_validate({"environmentVariables": variables})

    assert "hidden-value" not in repr(model)
    assert model.given() == {"environmentVariables": variables}
