import math
from typing import Any

import pytest

from sweeper.wire.issues import Side
from sweeper.wire.rules.view import Terms
from sweeper.wire.shapes import shape_issues
from sweeper.wire.training import TrainingCreationRequest, TrainingSpec
from sweeper.wire.wording import Fault, worded

SERVER = Terms(side=Side.SERVER)
PROFILES = "1g.5gb, 1g.10gb, 2g.10gb, 2g.20gb, 3g.20gb, 3g.40gb, 4g.20gb, 4g.40gb, 7g.40gb, 7g.80gb"


def _security(**members: Any) -> dict[str, Any]:
    return {"security": members}


def _compute(**members: Any) -> dict[str, Any]:
    return {"compute": members}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"args": ["a"]}, "a list is no text: write one text, with spaces between its parts"),
        ({"args": {}}, "an object is no text: write a text"),
        ({"args": 5}, "5 is no text: put it in quotes"),
        ({"args": ""}, '"" is empty: give it content, or leave it out'),
        (
            {"labels": {"a": "b"}},
            "an object is no list: write a list of objects with name and value",
        ),
        ({"ports": "80"}, '"80" is no list: write one, even of a single item'),
        ({"ports": [80]}, "80 is no object: write names and values"),
        ({"completions": 1.0}, "1.0 is no whole number: write it without a point"),
        ({"completions": "1"}, '"1" is text: write the number without quotes'),
        ({"completions": True}, "true is no whole number: write one"),
        ({"completions": 1.5}, "1.5 is no whole number: write one"),
        ({"completions": math.inf}, "Infinity is no whole number: write one"),
        ({"completions": 2**31}, "2147483648 is above 2147483647: give at most 2147483647"),
        ({"completions": 10**400}, "a number of more than 60 digits is above 2147483647"),
        ({"terminationGracePeriodSeconds": -1}, "-1 is below 0: give at least 0"),
        ({"tty": "yes"}, '"yes" is neither true nor false: write one of them, without quotes'),
        ({"labels": [{"name": "n" * 64}]}, "… has 64 characters: shorten it to 63"),
        ({"nodePools": [None]}, "is null, and must not be: leave it out, or give a value"),
        ({"restartPolicy": "never"}, '"never" is unknown here: write Never'),
        ({"restartPolicy": "x"}, '"x" is none of Always, Never, OnFailure'),
        ({"restartPolicy": 5}, "5 is none of Always, Never, OnFailure"),
        ({"priorityClass": "high"}, "; API 2.22 and newer take other words: see --api-version"),
        (_security(uidGidSource="idpToken"), '"idpToken" is unknown here: write fromIdpToken'),
        (
            _security(capabilities=["CAP_SYS_ADMIN"]),
            '"CAP_SYS_ADMIN" is unknown here: write SYS_ADMIN',
        ),
        (_security(capabilities=["X" * 10**6]), "IPC_LOCK, IPC_OWNER, KILL, …"),
        (_compute(migProfile="zz"), f'"zz" is none of {PROFILES}'),
        (_compute(cpuCoreRequest="1"), '"1" is text: write a number without quotes'),
        (_compute(cpuCoreRequest=True), "true is no number: write one"),
        (_compute(cpuCoreRequest=-1), "-1 must be at least 0"),
        (_compute(cpuCoreRequest=math.nan), "NaN must be a number that a double can hold"),
        (_compute(cpuCoreRequest=10**400), "must be a number that a double can hold"),
        (_compute(cpuMemoryRequest="10GB"), "'10GB' is no amount: write 10G"),
        (_compute(cpuMemoryRequest="10 GiB"), "'10 GiB' is no amount: write 10Gi"),
        (_compute(cpuMemoryRequest="much"), "as in 10Gi"),
    ],
)
def test_a_message_carries_value_and_remedy(spec: Any, message: str) -> None:
    (issue,) = shape_issues(TrainingSpec, spec, SERVER)

    assert message in issue.message


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"clusterId": "x"}, '"x" is no UUID, such as 123e4567-e89b-12d3-a456-426614174000'),
        ({"clusterId": 5}, "5 is no text: put it in quotes"),
        ({"name": None}, "is null, and must not be: leave it out, or give a value"),
    ],
)
def test_what_is_beside_the_spec_is_told_alike(members: Any, message: str) -> None:
    body = {"name": "a", "projectId": "1", "clusterId": "71f69d83-ba66-4822-adf5-55ce55efd210"}

    (issue,) = shape_issues(TrainingCreationRequest, {**body, **members}, SERVER)

    assert issue.message == message


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("path",), "a?b", '"a?b" is no path: start with / and use letters, digits, - _ . / alone'),
        (("host",), "a_b", '"a_b" is no host name, such as trainer.example.com'),
    ],
)
def test_a_probe_is_told_what_is_wrong(path: Any, value: str, message: str) -> None:
    spec = {"probes": {"readiness": {"handler": {"httpGet": {path[0]: value}}}}}

    (issue,) = shape_issues(TrainingSpec, spec, SERVER)

    assert issue.message == message


@pytest.mark.parametrize(
    ("value", "kind"),
    [("x", "a text"), (5, "a number"), (True, "a boolean"), ([], "a list"), ({}, "an object")],
)
def test_of_a_variable_only_the_kind_is_told(value: Any, kind: str) -> None:
    path = ("environmentVariables", 0, "value")

    said = worded(Fault(kind="bool_type", path=path, value=value, text="", context={}))

    assert said.startswith(f"{kind} is ")


def test_an_error_of_a_new_kind_is_told_in_the_librarys_words() -> None:
    fault = Fault(kind="new_kind", path=("args",), value=5, text="Odd input", context={})

    assert worded(fault) == "5: Odd input"


def test_an_amount_that_only_the_pattern_refuses_has_a_remedy() -> None:
    path = ("compute", "gpuMemoryRequest")
    fault = Fault(
        kind="string_pattern_mismatch",
        path=path,
        value=".5",
        text="",
        context={"pattern": r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"},
    )

    assert worded(fault) == '".5" is no amount for this API: write it as in 10Gi'
