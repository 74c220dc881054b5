from typing import Any
from uuid import uuid4

import pytest

from sweeper.wire.checking import check_spec
from sweeper.wire.issues import Issue, Severity, Side
from sweeper.wire.rules.view import Terms, Version
from sweeper.wire.shapes import shape_issues
from sweeper.wire.training import TrainingCreationRequest, TrainingSpec
from sweeper.wire.versions import LATER_FIELDS, written

CLIENT, SERVER = Terms(side=Side.CLIENT), Terms(side=Side.SERVER)
NEWER = Terms(side=Side.CLIENT, api_version=(2, 22))


def _issues(spec: Any, terms: Terms) -> list[Issue]:
    return list(shape_issues(TrainingSpec, spec, terms))


def test_an_unknown_field_is_an_error_to_who_sends() -> None:
    (issue,) = _issues({"brandNew": "x"}, CLIENT)

    assert issue.severity is Severity.ERROR
    assert issue.message == (
        '"brandNew" is no field of API 2.21: '
        "drop it, or give the --api-version that has it, 2.22 or newer"
    )


def test_an_unknown_field_is_sent_to_a_newer_control_plane() -> None:
    (issue,) = _issues({"brandNew": "x"}, NEWER)

    assert issue.severity is Severity.WARNING
    assert issue.message == (
        '"brandNew" is no known field of any API up to 2.24, and is sent as it is'
    )


def test_a_slip_is_told_to_a_newer_control_planes_user_too() -> None:
    (issue,) = _issues({"imagee": "x"}, NEWER)

    assert issue.message.endswith("is sent as it is: did you mean image?")


@pytest.mark.parametrize(("place", "since"), sorted(LATER_FIELDS.items()))
def test_a_field_of_a_later_version_passes_from_that_version_on(place: str, since: Version) -> None:
    spec = _spec_with(place)
    before, after = (since[0], since[1] - 1), (since[0] + 1, 0)

    (issue,) = _issues(spec, Terms(side=Side.CLIENT, api_version=before))
    assert issue.severity is Severity.ERROR
    assert f"needs --api-version {written(since)}" in issue.message
    for version in (since, after):
        assert _issues(spec, Terms(side=Side.CLIENT, api_version=version)) == []


def test_a_field_of_a_later_version_in_another_place_is_unknown() -> None:
    (issue,) = _issues({"storage": {"preemptibility": "x"}}, NEWER)

    assert issue.message.startswith('"preemptibility" is no known field')


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


@pytest.mark.parametrize(("version", "told"), [((2, 23), "gone in"), ((2, 24), "gone since")])
def test_mig_profiles_are_told_to_be_gone(version: Version, told: str) -> None:
    spec = {"compute": {"migProfile": "1g.5gb", "gpuRequestType": "migProfile"}}
    issues = check_spec(spec, Terms(side=Side.CLIENT, api_version=version, needs_image=False))

    assert any(f"{told} API 2.24" in one.message for one in issues)


def test_the_template_of_a_later_version_stands_beside_the_spec() -> None:
    body = {"name": "x", "projectId": "1", "clusterId": str(uuid4()), "templateId": "t"}
    (issue,) = shape_issues(TrainingCreationRequest, body, NEWER)

    assert "needs --api-version 2.23" in issue.message


def test_other_words_stay_as_they_are_in_later_versions() -> None:
    assert _issues({"restartPolicy": "Sometimes"}, NEWER) != []


@pytest.mark.parametrize("spec", [None, [], "x", 5], ids=["null", "list", "text", "number"])
def test_a_spec_that_is_no_object_is_one_issue(spec: Any) -> None:
    (issue,) = _issues(spec, SERVER)

    assert issue.path == ()


def test_half_a_surrogate_pair_is_an_issue() -> None:
    (issue,) = _issues({"args": "\ud800"}, SERVER)

    assert issue.message == "holds half a surrogate pair: write whole characters"


def _spec_with(place: str) -> Any:
    """Return a spec with something at `place` and nothing else."""
    spec: Any = {"any": 1}
    for step in reversed(place.split(".")):
        spec = {step.removesuffix("[]"): [spec] if step.endswith("[]") else spec}
    return spec
