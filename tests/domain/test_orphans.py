from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.expansion import workload_name
from sweeper.domain.marks import labels_of
from sweeper.domain.orphans import Claim, attempt_of, is_of_sweep, is_other_point, is_owned
from sweeper.domain.phase import Phase
from sweeper.domain.trial import Observation
from tests.support.builders import SWEEP_ID

PREFIX = f"demo-{SWEEP_ID}-"
DIGEST = "0123456789abcdef"
LABELS = labels_of(SWEEP_ID, 3, 2, DIGEST)


def a_claim(attempt: int = 1, **fields: Any) -> Claim:
    given: dict[str, Any] = {"workload_id": "id", "digest": DIGEST, "is_open": True}
    return Claim(attempt=attempt, **given | fields)


def seen(phase: Phase = Phase.RUNNING) -> Observation:
    return Observation(workload_id="id", name=f"{PREFIX}3-1", phase=phase)


@given(st.integers(0, 10**12 - 1), st.integers(1, 10**6 - 1))
def test_a_name_tells_trial_and_attempt(number: int, attempt: int) -> None:
    assert attempt_of(PREFIX, workload_name("demo", SWEEP_ID, number, attempt)) == (number, attempt)


@pytest.mark.parametrize(
    "name",
    ["", PREFIX, f"{PREFIX}3", f"{PREFIX}3-0", f"{PREFIX}03-1", f"{PREFIX}3-1-copy", "other-3-1"],
)
def test_no_other_name_is_one_of_ours(name: str) -> None:
    assert attempt_of(PREFIX, name) is None


@pytest.mark.parametrize(
    ("name", "labels", "is_ours"),
    [
        pytest.param(f"{PREFIX}3-2", LABELS | {"more": "x"}, True, id="ours"),
        pytest.param(f"{PREFIX}3-2", None, False, id="no labels known"),
        pytest.param(f"{PREFIX}3-2-copy", LABELS, False, id="a copy"),
        pytest.param(f"{PREFIX}3-1", LABELS, False, id="another attempt's labels"),
        pytest.param(f"{PREFIX}3-2", LABELS | {"sweeper/sweep": "x"}, False, id="another sweep"),
        pytest.param(f"{PREFIX}3-2", LABELS | {"sweeper/params": "x"}, False, id="no digest"),
        pytest.param(f"{PREFIX}3-2", {}, False, id="none of ours"),
    ],
)
def test_ours_is_the_exact_name_with_all_labels(
    name: str, labels: dict[str, str] | None, is_ours: bool
) -> None:
    assert is_of_sweep(PREFIX, SWEEP_ID, name, labels) is is_ours


@pytest.mark.parametrize(
    ("phase", "claims", "owned"),
    [
        pytest.param(Phase.RUNNING, [], False, id="no row"),
        pytest.param(Phase.RUNNING, [a_claim()], True, id="its own"),
        pytest.param(Phase.RUNNING, [a_claim(is_open=False)], True, id="its own, over"),
        pytest.param(Phase.RUNNING, [a_claim(workload_id="other")], False, id="a double"),
        pytest.param(Phase.RUNNING, [a_claim(workload_id=None)], True, id="to be looked up"),
        pytest.param(
            Phase.RUNNING, [a_claim(workload_id=None, is_open=False)], False, id="came too late"
        ),
        pytest.param(Phase.RUNNING, [a_claim(2)], False, id="an older attempt that lives"),
        pytest.param(Phase.COMPLETED, [a_claim(2)], True, id="an older attempt that ended"),
        pytest.param(Phase.COMPLETED, [], False, id="ended without a row"),
    ],
)
def test_a_row_owns_its_own_training(phase: Phase, claims: list[Claim], owned: bool) -> None:
    assert is_owned(seen(phase), 1, claims) is owned


@pytest.mark.parametrize(
    ("attempt", "digest", "other"),
    [(1, DIGEST, False), (1, "f" * 16, True), (2, "f" * 16, False)],
)
def test_other_params_than_the_row_has_are_another_point(
    attempt: int, digest: str, other: bool
) -> None:
    assert is_other_point({"sweeper/params": digest}, attempt, [a_claim(1)]) is other


def test_labels_without_a_digest_are_not_ours() -> None:
    labels = {key: value for key, value in LABELS.items() if key != "sweeper/params"}

    assert not is_of_sweep(PREFIX, SWEEP_ID, f"{PREFIX}3-2", labels)
