"""schemathesis fuzzes the server from the contract: all checks, stateful, with a fixed seed."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.outside.contracts import contract, contract_of_this_place
from tests.outside.explained import EXPLANATIONS, explain, is_under_way
from tests.outside.schemathesis_hooks import VARIABLE
from tests.outside.servers import ROOT, ControlPlane, control_plane

PLAIN_EXAMPLES, KNOWING_EXAMPLES = 50, 250
"""How many bodies each operation is tried with, in each phase of a run."""


@dataclass(frozen=True, kw_only=True)
class Fuzzing:
    """How a run of schemathesis ended: its exit code, and what it printed."""

    code: int
    said: str


@dataclass(frozen=True, kw_only=True)
class Fuzzings:
    """The run with the contract as it is, and the one with what is known of the server."""

    plain: Fuzzing
    knowing: Fuzzing
    explained: Counter[str]
    """How often each explanation served in both."""


@pytest.fixture(scope="module")
def fuzzings(tmp_path_factory: pytest.TempPathFactory) -> Fuzzings:
    folder = tmp_path_factory.mktemp("fuzzing")
    explained = folder / "explained.txt"
    with control_plane("--runtime", "simulated") as plane:
        plain = _fuzz(plane, contract(), PLAIN_EXAMPLES, explained)
        knowing = _fuzz(plane, contract_of_this_place(), KNOWING_EXAMPLES, explained)
    names = explained.read_text(encoding="utf-8").splitlines()
    return Fuzzings(plain=plain, knowing=knowing, explained=Counter(names))


def test_any_body_has_an_answer_of_the_contract(fuzzings: Fuzzings) -> None:
    assert fuzzings.plain.code == 0, fuzzings.plain.said
    assert "Tested: 5" in fuzzings.plain.said


def test_trainings_live_and_end_as_the_contract_says(fuzzings: Fuzzings) -> None:
    assert fuzzings.knowing.code == 0, fuzzings.knowing.said
    assert "Tested: 5" in fuzzings.knowing.said


def test_no_explanation_is_left_over(fuzzings: Fuzzings) -> None:
    assert set(fuzzings.explained) == {one.name for one in EXPLANATIONS}


def test_an_answer_is_explained_wholly_or_not_at_all() -> None:
    entries = [
        {"field": "labels[0].name", "details": "is mandatory and missing: give it"},
        {"field": "labels[0].value", "details": "is too blue"},
    ]

    assert explain("RejectedPositiveData", 400, {"complianceIssues": entries[:1]})
    assert not explain("RejectedPositiveData", 400, {"complianceIssues": entries})
    assert not explain("ServerError", 500, {"code": 500, "message": "no"})


@pytest.mark.parametrize(
    ("failure", "desired", "is_explained"),
    [
        ("UseAfterFree", "Deleted", True),
        ("UseAfterFree", "Running", False),
        ("ServerError", "Deleted", False),
    ],
)
def test_a_training_may_be_there_while_it_is_being_deleted(
    failure: str, desired: str, is_explained: bool
) -> None:
    assert is_under_way(failure, {"desiredPhase": desired}) is is_explained


def _fuzz(
    plane: ControlPlane, document: Mapping[str, Any], examples: int, explained: Path
) -> Fuzzing:
    """Run schemathesis to its end, with all checks; explanations that served are appended."""
    file = explained.with_name("contract.json")
    file.write_text(json.dumps(document), encoding="utf-8")
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", str(file), "--url", plane.url),
            *("-H", f"Authorization: Bearer {plane.token}", "--checks", "all"),
            *("--max-examples", str(examples), "--seed", "1", "--generation-database", "none"),
            *("--no-shrink", "--continue-on-failure", "--no-color", "--warnings", "off"),
        ],
        check=False,
        capture_output=True,
        text=True,
        cwd=explained.parent,
        env={
            "PYTHONPATH": str(ROOT),
            "SCHEMATHESIS_HOOKS": "tests.outside.schemathesis_hooks",
            VARIABLE: str(explained),
        },
    )
    return Fuzzing(code=ended.returncode, said=ended.stdout + ended.stderr)
