from typing import Any

import pytest

from sweeper.wire.issues import Severity, Side
from sweeper.wire.rules.view import Terms, View, shown, standing

CLIENT, SERVER = Terms(side=Side.CLIENT), Terms(side=Side.SERVER)


@pytest.mark.parametrize("value", [None, 5, True, [], {}])
def test_what_is_no_text_reads_as_not_given(value: Any) -> None:
    assert View({"key": value}).text("key") is None


@pytest.mark.parametrize("value", [None, "5", True, 5.0, [], {}])
def test_what_is_no_whole_number_reads_as_not_given(value: Any) -> None:
    assert View({"key": value}).whole("key") is None


@pytest.mark.parametrize(("value", "number"), [(5, 5), (0.5, 0.5), ("5", None), (True, None)])
def test_a_number_is_whole_or_not(value: Any, number: Any) -> None:
    assert View({"key": value}).number("key") == number


@pytest.mark.parametrize("value", [None, 0, 1, "true", "false", []])
def test_only_true_is_on_and_only_false_is_off(value: Any) -> None:
    view = View({"key": value})

    assert (view.is_on("key"), view.is_off("key")) == (False, False)
    assert (View({"key": True}).is_on("key"), View({"key": False}).is_off("key")) == (True, True)


def test_objects_are_found_where_they_stand() -> None:
    spec = View({"storage": {"pvc": [{"claimInfo": {"size": "1Gi"}}, None, "x", {"path": "/a"}]}})

    found = list(standing(spec, "storage.pvc[].claimInfo"))

    assert [view.path for view in found] == [("storage", "pvc", 0, "claimInfo")]
    assert [view.path for view in standing(spec, "storage.pvc[]")] == [
        ("storage", "pvc", 0),
        ("storage", "pvc", 3),
    ]


@pytest.mark.parametrize("ports", [None, "x", {}, 5])
def test_what_is_no_list_holds_nothing(ports: Any) -> None:
    assert list(standing(View({"ports": ports}), "ports[]")) == []
    assert list(standing(View({"ports": ports}), "ports.deeper[]")) == []


def test_nothing_stands_below_an_excluded_item() -> None:
    spec = View({"storage": {"pvc": [{"exclude": True, "claimInfo": {}}]}})

    assert list(standing(spec, "storage.pvc[].claimInfo")) == []


def test_issues_lead_to_the_value() -> None:
    view = View({"key": 1}, ("ports", 0))

    assert view.error("key", "is odd").field == "ports[0].key"
    assert view.warning("key", "is odd", shared=True).shared
    assert view.warning("key", "is odd").severity is Severity.WARNING


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", '"a"'),
        ("a" * 100, '"' + "a" * 59 + "…"),
        ("\x1b[2J\n", '"\\u001b[2J\\n"'),
        (True, "true"),
        (None, "null"),
        (1.5, "1.5"),
        pytest.param(10**5000, "a number of more than 60 digits", id="huge"),
        ({"a": 1}, "an object"),
        ([1], "a list"),
        ((1,), "a list"),
    ],
)
def test_a_value_is_shown_short_and_safe(value: Any, text: str) -> None:
    assert shown(value) == text


def test_who_sends_holds_every_choice_of_a_control_plane() -> None:
    lax = Terms(side=Side.CLIENT, hold_names=False, hold_mandatory=False)

    assert (lax.wants_names, lax.wants_mandatory) == (True, True)
    assert (CLIENT.inferred, SERVER.inferred) == (Severity.ERROR, Severity.WARNING)


@pytest.mark.parametrize(("version", "newer"), [((2, 21), False), ((2, 22), True), ((2, 9), False)])
def test_versions_are_compared_as_numbers(version: tuple[int, int], newer: bool) -> None:
    assert Terms(side=Side.CLIENT, api_version=version).is_newer is newer


def test_a_view_shows_its_place_only() -> None:
    view = View({"value": "hidden-value"}, ("environmentVariables", 0))

    assert repr(view) == "View(path=('environmentVariables', 0))"
