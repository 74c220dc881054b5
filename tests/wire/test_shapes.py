from typing import Any

import pytest

from sweeper.wire.issues import Issue, Severity, Side
from sweeper.wire.rules.view import Terms
from sweeper.wire.shapes import shape_issues
from sweeper.wire.training import TrainingSpec

CLIENT, SERVER = Terms(side=Side.CLIENT), Terms(side=Side.SERVER)
NEWER = Terms(side=Side.CLIENT, api_version=(2, 22))


def _issues(spec: Any, terms: Terms) -> list[Issue]:
    return list(shape_issues(TrainingSpec, spec, terms))


def test_an_unknown_field_is_an_error_to_who_sends() -> None:
    (issue,) = _issues({"preemptibility": "preemptible"}, CLIENT)

    assert issue.severity is Severity.ERROR
    assert issue.message == (
        '"preemptibility" is no field of API 2.21: '
        "drop it, or give the --api-version that has it, 2.22 or newer"
    )


def test_an_unknown_field_is_sent_to_a_newer_control_plane() -> None:
    (issue,) = _issues({"preemptibility": "preemptible"}, NEWER)

    assert issue.severity is Severity.WARNING
    assert issue.message == '"preemptibility" is no field of API 2.21, and is sent as it is'


def test_a_slip_is_told_to_a_newer_control_planes_user_too() -> None:
    (issue,) = _issues({"imagee": "x"}, NEWER)

    assert issue.message.endswith("is sent as it is: did you mean image?")


def test_an_unknown_field_is_kept_by_who_receives() -> None:
    (issue,) = _issues({"ports": [{"unknown": 1}]}, SERVER)

    assert issue.path == ("ports", 0, "unknown")
    assert issue.severity is Severity.WARNING


def test_only_some_unknown_fields_get_a_suggestion() -> None:
    issues = _issues({f"imag{letter}": 1 for letter in "abcdfghijklmnopqrstuvwxyz"}, CLIENT)

    assert [one.message.endswith("did you mean image?") for one in issues] == [True] * 20 + [
        False
    ] * (len(issues) - 20)


@pytest.mark.parametrize("word", ["high", "very-low", "my-own"])
def test_a_priority_of_later_versions_passes_with_these(word: str) -> None:
    assert _issues({"priorityClass": word}, NEWER) == []
    assert _issues({"priorityClass": word}, CLIENT) != []


def test_other_words_stay_as_they_are_in_later_versions() -> None:
    assert _issues({"restartPolicy": "Sometimes"}, NEWER) != []


@pytest.mark.parametrize("spec", [None, [], "x", 5], ids=["null", "list", "text", "number"])
def test_a_spec_that_is_no_object_is_one_issue(spec: Any) -> None:
    (issue,) = _issues(spec, SERVER)

    assert issue.path == ()


def test_half_a_surrogate_pair_is_an_issue() -> None:
    (issue,) = _issues({"args": "\ud800"}, SERVER)

    assert issue.message == "holds half a surrogate pair: write whole characters"
