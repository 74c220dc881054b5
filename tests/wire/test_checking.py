from typing import Any

import pytest

from sweeper.wire.checking import MAX_ISSUES, check_creation, check_name, check_spec
from sweeper.wire.issues import Issue, Severity, Side
from sweeper.wire.reading import MAX_DEPTH
from sweeper.wire.rules.view import Terms

CLIENT, SERVER = Terms(side=Side.CLIENT), Terms(side=Side.SERVER)
CLUSTER = "71f69d83-ba66-4822-adf5-55ce55efd210"


def a_body(**spec: Any) -> dict[str, Any]:
    body = {"name": "demo-0-1", "projectId": "4501004", "clusterId": CLUSTER}
    return {**body, "spec": {"image": "python:3.11", **spec}}


def _said(issues: list[Issue]) -> list[str]:
    return [f"{one.severity}: {one.field} {one.message}" for one in issues]


@pytest.mark.parametrize("terms", [CLIENT, SERVER], ids=["client", "server"])
def test_a_good_body_has_no_issues(terms: Terms) -> None:
    body = a_body(args="train.py", environmentVariables=[{"name": "LR", "value": "0.1"}])

    assert check_creation(body, terms) == []


def test_a_frozen_body_is_a_body() -> None:
    body = a_body(nodePools=("a", "b"))

    assert check_creation(body, CLIENT) == []


def test_all_issues_are_told_at_once_in_the_order_of_their_paths() -> None:
    body = a_body(tty=True, ports=[{"serviceType": "NodePort"}], completions=0) | {"name": ""}

    fields = [one.field for one in check_creation(body, CLIENT)]

    assert fields == ["completions", "name", "ports[0].container", "tty"]


def test_items_are_ordered_by_number() -> None:
    ports: list[Any] = [{"container": 80, "serviceType": "NodePort"}] * 2 + [{}] * 9

    issues = check_spec({"ports": ports}, SERVER)

    places = [one.path[1] for one in issues if one.path[-1] == "container"]
    assert places == [2, 3, 4, 5, 6, 7, 8, 9, 10]


@pytest.mark.parametrize(
    "body", [None, [], "x", 1, True], ids=["null", "list", "text", "number", "boolean"]
)
def test_a_body_that_is_no_object_is_one_issue(body: Any) -> None:
    (issue,) = check_creation(body, SERVER)

    assert issue.path == ()
    assert "is no object" in issue.message


@pytest.mark.parametrize("check", [check_creation, check_spec])
def test_what_is_nested_too_deep_is_not_walked(check: Any) -> None:
    body: Any = {"spec": {}}
    for _ in range(50_000):
        body = {"spec": body}

    (issue,) = check(body, SERVER)

    assert issue.message == f"is nested deeper than {MAX_DEPTH} levels: flatten it"


def test_what_is_beside_the_spec_goes_by_its_own_name() -> None:
    issues = check_creation({"name": "demo", "clusterId": CLUSTER, "spec": None}, SERVER)

    assert _said(issues) == ["error: projectId is missing: give it"]


def test_a_spec_alone_is_told_of_as_within_a_body() -> None:
    spec: dict[str, Any] = {"image": "", "gpus": 1, "parallelism": 0}

    assert check_spec(spec, CLIENT) == check_creation(a_body(**spec), CLIENT)


def test_of_too_many_issues_only_so_many_are_told() -> None:
    issues = check_spec({"ports": [{}] * 20_000}, SERVER)

    assert len(issues) == MAX_ISSUES + 1
    assert issues[-1].message == "there are more than 100 issues: mend these first"
    assert issues[-1].severity is Severity.ERROR


def test_no_error_hides_behind_warnings() -> None:
    spec: dict[str, Any] = {"args": "", **{f"unknown{number}": 1 for number in range(5000)}}

    issues = check_spec(spec, SERVER)

    assert [one.field for one in issues if one.severity is Severity.ERROR] == ["args"]
    assert issues[-1].severity is Severity.WARNING


@pytest.mark.parametrize("name", ["a", "a1", "a-b", "a" * 63])
def test_a_good_name_has_no_fault(name: str) -> None:
    assert check_name(name) == ""


@pytest.mark.parametrize("name", ["A", "1a", "-a", "a-", "a_b", "a\n", "é", "a" * 64])
def test_a_name_off_the_products_rules_comes_with_the_remedy(name: str) -> None:
    fault = check_name(name)

    assert "use lowercase letters" in fault or fault.endswith("64 characters: shorten it to 63")
    assert fault.isprintable()


def test_no_value_of_an_environment_variable_is_told() -> None:
    hidden = "hidden-value"
    variables: list[Any] = [
        hidden,
        {"name": "A", "value": [hidden]},
        {"name": "B", "value": hidden, "secret": hidden, "configMap": [hidden]},
        {"name": "C", "value": hidden, "exclude": hidden, "description": {hidden: hidden}},
        {"name": "C", "value": hidden, "secret": {"name": "s", "key": {"x": hidden}}},
        {"name": "D", "value": hidden, "unknown": hidden},
    ]

    told = [
        one.message
        for terms in (CLIENT, SERVER)
        for given in (variables, hidden, {hidden[::-1]: hidden})
        for one in check_spec({"environmentVariables": given}, terms)
    ]

    assert len(told) > 10
    assert not [message for message in told if hidden in message]


@pytest.mark.parametrize("terms", [CLIENT, SERVER], ids=["client", "server"])
@pytest.mark.parametrize("number", [10**5000, -(10**5000), 1e308], ids=["huge", "low", "double"])
def test_a_number_of_any_size_has_an_answer(number: float, terms: Terms) -> None:
    compute: dict[str, Any] = {
        "gpuDevicesRequest": number,
        "gpuRequestType": "portion",
        "gpuPortionRequest": number,
        "gpuPortionLimit": 0.5,
    }
    ports: list[Any] = [{"container": number, "external": number, "serviceType": "NodePort"}]

    issues = check_spec({"compute": compute, "ports": ports, "backoffLimit": number}, terms)

    assert {"compute.gpuDevicesRequest", "ports[0].external", "backoffLimit"} <= {
        one.field for one in issues
    }
