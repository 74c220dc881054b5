import re

import pytest

from sweeper.domain.marks import checkpoint_key, is_ours, labels_of, shown_marks
from sweeper.domain.values import digest
from tests.support.builders import SWEEP_ID

_LABELS = labels_of(SWEEP_ID, 3, 2, digest({"lr": 1}))


def test_every_label_is_fit_for_kubernetes() -> None:
    labels = labels_of(SWEEP_ID, 10**60, 9999, digest({}))

    for name, value in labels.items():
        assert len(name) <= 63
        assert re.fullmatch(r"[a-z0-9A-Z]([-a-z0-9A-Z_.]{0,61}[a-z0-9A-Z])?", value)


def test_the_exact_name_and_all_labels_make_a_training_ours() -> None:
    assert is_ours("name", _LABELS, "name", {**_LABELS, "theirs": "too"})


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("name-copy", _LABELS),
        ("name", None),
        ("name", {}),
        ("name", _LABELS | {"sweeper/attempt": "1"}),
        ("name", {key: value for key, value in _LABELS.items() if key != "sweeper/params"}),
    ],
    ids=["a copy", "labels unknown", "no labels", "another attempt", "a label missing"],
)
def test_anything_else_is_foreign(name: str, labels: dict[str, str] | None) -> None:
    assert not is_ours("name", _LABELS, name, labels)


def test_a_checkpoint_key_is_of_one_trial_of_one_sweep() -> None:
    keys = {checkpoint_key("demo", sweep, number) for sweep in "ab" for number in (1, 2)}

    assert len(keys) == 4


def test_marks_are_shown_without_the_labels_of_others() -> None:
    shown = shown_marks({"team": "vision", "sweeper/trial": "3", "sweeper/attempt": "2"})

    assert shown == "sweeper/attempt=2, sweeper/trial=3"


@pytest.mark.parametrize("labels", [None, {}, {"team": "vision"}], ids=str)
def test_a_training_without_our_marks_is_said_to_have_none(labels: dict[str, str] | None) -> None:
    assert shown_marks(labels) == "no labels of ours"
