from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.local.spec_reading import (
    Lifecycle,
    Need,
    Readiness,
    items_of,
    priority_word,
    read_lifecycle,
    read_need,
    read_spec,
)

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
FIELDS = (
    "gpuDevicesRequest",
    "gpuRequestType",
    "gpuPortionRequest",
    "cpuCoreRequest",
    "cpuMemoryRequest",
)


def need(**compute: Any) -> Need:
    return read_need({"compute": compute})


@pytest.mark.parametrize(
    ("compute", "gpus"),
    [
        ({}, Fraction(0)),
        ({"gpuDevicesRequest": 2}, Fraction(2)),
        ({"gpuDevicesRequest": 2, "gpuRequestType": None, "gpuPortionRequest": 0.5}, Fraction(2)),
        (
            {"gpuDevicesRequest": 3, "gpuRequestType": "portion", "gpuPortionRequest": 0.1},
            Fraction(3, 10),
        ),
        ({"gpuRequestType": "portion", "gpuPortionRequest": 0.5}, Fraction(1, 2)),
        ({"gpuRequestType": "portion", "gpuPortionRequest": 7}, Fraction(1)),
        ({"gpuRequestType": "portion"}, Fraction(1)),
        ({"gpuRequestType": "memory", "gpuMemoryRequest": "4Gi"}, Fraction(1)),
        ({"gpuDevicesRequest": -1}, Fraction(0)),
        ({"gpuDevicesRequest": True}, Fraction(0)),
    ],
)
def test_gpus_are_counted_exactly(compute: dict[str, Any], gpus: Fraction) -> None:
    assert need(**compute).gpus == gpus


def test_cores_and_memory_are_read_as_amounts() -> None:
    found = need(cpuCoreRequest=0.1, cpuMemoryRequest="1.5Gi")

    assert (found.cores, found.memory) == (Fraction(1, 10), Fraction(3 * 2**29))


@pytest.mark.parametrize("value", [float("inf"), "4", True, -1, None])
def test_cores_that_are_no_number_ask_for_nothing(value: Any) -> None:
    assert need(cpuCoreRequest=value).cores == 0


@pytest.mark.parametrize("value", ["-5G", "..", 7, None])
def test_memory_that_is_no_amount_asks_for_nothing(value: Any) -> None:
    assert need(cpuMemoryRequest=value).memory == 0


@pytest.mark.parametrize(
    ("word", "is_preemptible"),
    [("build", False), ("interactive-preemptible", True), ("train", True), ("high", False)],
)
def test_priority_decides_who_can_be_preempted(word: str, is_preemptible: bool) -> None:
    assert read_need({"priorityClass": word}).is_preemptible is is_preemptible


@pytest.mark.parametrize("spec", [{}, {"priorityClass": None}, {"priorityClass": "unheard-of"}])
def test_priority_is_that_of_train_unless_another_is_known(spec: dict[str, Any]) -> None:
    assert read_need(spec).priority == read_need({"priorityClass": "train"}).priority


def test_the_priority_is_answered_as_it_was_given() -> None:
    assert priority_word({"priorityClass": "unheard-of"}) == "unheard-of"


def test_without_anything_a_training_lives_by_the_contracts_defaults() -> None:
    assert read_lifecycle({}) == Lifecycle(
        grace_seconds=30,
        backoff_limit=6,
        restarts=True,
        auto_deletion=timedelta(days=30),
        ends_when_preempted=False,
    )


def test_a_lifecycle_is_read_from_the_spec() -> None:
    spec: Any = {
        "terminationGracePeriodSeconds": 0,
        "backoffLimit": 0,
        "restartPolicy": "Never",
        "autoDeletionTimeAfterCompletionSeconds": 3600,
        "terminateAfterPreemption": True,
    }

    assert read_lifecycle(spec) == Lifecycle(
        grace_seconds=0,
        backoff_limit=0,
        restarts=False,
        auto_deletion=timedelta(hours=1),
        ends_when_preempted=True,
    )


def test_times_beyond_all_reason_are_cut_to_what_a_clock_holds() -> None:
    found = read_lifecycle(
        {
            "terminationGracePeriodSeconds": 2**63 - 1,
            "autoDeletionTimeAfterCompletionSeconds": 2**63 - 1,
            "backoffLimit": -5,
        }
    )

    century = timedelta(days=36_500)
    assert (found.grace_seconds, found.auto_deletion) == (century.total_seconds(), century)
    assert found.backoff_limit == 0


@pytest.mark.parametrize("text", [None, "null", "[1]"])
def test_a_spec_that_is_no_object_is_empty(text: str | None) -> None:
    assert read_spec(text) == {}


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON), JSON)
def test_any_json_has_an_answer(compute: dict[str, Any], other: Any) -> None:
    for spec in ({"compute": compute}, {"compute": other, "backoffLimit": other}):
        found = read_need(spec)
        assert min(found.gpus, found.cores, found.memory) >= 0
        assert read_lifecycle(spec).backoff_limit >= 0


def test_where_a_training_may_run_is_read() -> None:
    compute: Any = {"gpuDevicesRequest": 1, "gpuRequestType": "memory", "gpuMemoryRequest": "4Gi"}

    found = read_need({"nodePools": ["b", 7, "a"], "nodeType": "big", "compute": compute})
    sliced = need(gpuRequestType="migProfile", migProfile="1g.5gb", gpuMemoryRequest="4Gi")

    assert (found.node_pools, found.node_type) == (("b", "a"), "big")
    assert found.gpu_memory == 2**32
    assert (found.mig_profile, sliced.mig_profile) == (None, "1g.5gb")
    assert (sliced.gpu_memory, sliced.gpus) == (None, Fraction(1))


def test_other_resources_are_added_up() -> None:
    items = [
        {"resource": "a/b", "quantity": "2"},
        {"resource": "a/b", "quantity": "500m"},
        {"resource": "c", "quantity": "1", "exclude": True},
        {"resource": "d", "quantity": "many"},
        None,
    ]

    assert need(extendedResources=items).extended == {"a/b": Fraction(5, 2)}


@pytest.mark.parametrize(
    ("spec", "pods", "completions"),
    [
        ({}, 1, 1),
        ({"parallelism": 3}, 3, None),
        ({"parallelism": 3, "completions": 2}, 2, 2),
        ({"completions": 4}, 1, 4),
        ({"parallelism": 0, "completions": 0}, 1, 1),
        ({"parallelism": 2**31 - 1}, 1000, None),
    ],
)
def test_pods_start_together_as_far_as_they_can_be_of_use(
    spec: dict[str, Any], pods: int, completions: int | None
) -> None:
    assert read_need(spec).pods == pods
    assert read_lifecycle(spec).completions == completions
    compute = {"gpuDevicesRequest": 2}
    assert read_need({**spec, "compute": compute}).gpus == 2 * pods


def test_a_readiness_probe_is_read_with_the_defaults_of_kubernetes() -> None:
    def read(get: Any, **members: Any) -> Readiness | None:
        readiness = {"handler": {"httpGet": get}, **members}
        return read_lifecycle({"probes": {"readiness": readiness}}).readiness

    full = {"port": 8443, "host": "example.org", "path": "/up", "scheme": "HTTPS"}

    assert read({"port": 80}) == Readiness(url="http://127.0.0.1:80/")
    assert read({"port": 80, "path": ""}) == Readiness(url="http://127.0.0.1:80/")
    assert read(full, periodSeconds=2, failureThreshold=5, timeoutSeconds=2**40) == Readiness(
        url="https://example.org:8443/up", period=2, failures=5, timeout=36_500 * 86_400
    )
    assert read({}) is None


def test_items_that_are_excluded_are_without_effect() -> None:
    items: Any = [
        None,
        7,
        {"name": "a"},
        {"name": "b", "exclude": True},
        {"name": "c", "exclude": None},
    ]

    found = [(place, item["name"]) for place, item in items_of({"labels": items}, "labels")]

    assert found == [(2, "a"), (4, "c")]
