from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.domain.phase import Phase
from sweeper.local import trainings as after
from sweeper.local.nodes import Node
from sweeper.local.room import Capacity
from sweeper.local.scheduler import Decision, decide
from sweeper.local.spec_reading import Need
from sweeper.local.trainings import LocalTraining
from tests.local.builders import NOW, a_training, begun, ended

BUILD, TRAIN = 100, 50


def wants(devices: int = 1, share: Fraction | int = 1, **more: Any) -> Need:
    return Need(gpu_devices=devices, gpu_share=Fraction(share), **more)


def waiting(number: int, need: Need, **changes: Any) -> LocalTraining:
    return a_training(number, need=need, **changes)


def running(number: int, need: Need, *devices: int, **changes: Any) -> LocalTraining:
    changes.setdefault("phase", Phase.RUNNING)
    return a_training(number, need=need, devices=devices, **changes)


def machine_of(*, lent: frozenset[int] = frozenset(), **parts: Any) -> Capacity:
    """One machine without any configuration."""
    return Capacity(nodes=(Node(takes_any=True, **parts),), lent=lent)


def outcome(capacity: Capacity, *trainings: LocalTraining) -> Decision:
    return decide(trainings, capacity, NOW)


def started(decision: Decision) -> dict[int, tuple[int, ...]]:
    return {int(key[-12:]): grant.devices for key, grant in decision.starts.items()}


def preempted(decision: Decision) -> set[int]:
    return {int(key[-12:]) for key in decision.preemptions}


def test_whoever_came_first_starts_first() -> None:
    decision = outcome(machine_of(devices=(0,)), waiting(2, wants()), waiting(1, wants()))

    assert started(decision) == {1: (0,)}


def test_higher_priority_starts_before_whoever_came_first() -> None:
    decision = outcome(
        machine_of(devices=(0,)), waiting(1, wants()), waiting(2, wants(priority=BUILD))
    )

    assert started(decision) == {2: (0,)}


def test_what_needs_nothing_always_starts() -> None:
    decision = outcome(
        machine_of(devices=(0,), cores=Fraction(1), memory=Fraction(1)),
        running(1, wants(), 0),
        waiting(2, wants()),
        waiting(3, Need()),
    )

    assert started(decision) == {3: ()}


def test_fractions_share_a_gpu_exactly() -> None:
    tenth = wants(share=Fraction("0.1"))

    decision = outcome(
        machine_of(devices=(0,)), *(waiting(number, tenth) for number in range(1, 12))
    )

    assert started(decision) == dict.fromkeys(range(1, 11), (0,))


def test_a_fraction_goes_where_least_is_left() -> None:
    decision = outcome(
        machine_of(devices=(0, 1, 2)),
        running(1, wants(share=Fraction(1, 2)), 1),
        waiting(2, wants(share=Fraction(1, 2))),
        waiting(3, wants(2)),
    )

    assert started(decision) == {2: (1,), 3: (0, 2)}


def test_cores_and_memory_are_counted_when_they_are_bounded() -> None:
    need = Need(cores=Fraction(2), memory=Fraction(4))
    trainings = [waiting(number, need) for number in (1, 2, 3)]

    bounded = outcome(machine_of(cores=Fraction(5), memory=Fraction(4)), *trainings)
    unbounded = outcome(machine_of(), *trainings)

    assert list(started(bounded)) == [1]
    assert list(started(unbounded)) == [1, 2, 3]


def test_nobody_gets_past_a_training_that_waits_for_the_same() -> None:
    decision = outcome(
        machine_of(devices=(0, 1)),
        running(1, wants(), 0),
        waiting(2, wants(2)),
        waiting(3, wants()),
    )

    assert started(decision) == {}
    assert "waits for GPUs" in decision.waits[waiting(3, wants()).workload_id].message


def test_what_can_never_start_says_so_and_holds_nobody_back() -> None:
    large = waiting(1, wants(3, cores=Fraction(9), memory=Fraction(9)))
    capacity = machine_of(devices=(0, 1), cores=Fraction(8), memory=Fraction(8))

    decision = outcome(capacity, large, waiting(2, wants()))

    assert started(decision) == {2: (0,)}
    wait = decision.waits[large.workload_id]
    assert wait.reason == "OverLimit"
    assert "3 GPUs of 2, 9 CPU cores of 8, 9 bytes of memory of 8" in wait.message


def test_only_what_is_too_much_is_named() -> None:
    large = waiting(1, Need(cores=Fraction(9)))

    decision = outcome(machine_of(cores=Fraction(8), memory=Fraction(8)), large)

    assert decision.waits[large.workload_id].message == (
        "Asks for more than there is: 9 CPU cores of 8"
    )


def test_a_process_on_a_gpu_that_is_not_handed_out_any_more_takes_nothing() -> None:
    decision = outcome(machine_of(devices=(0,)), running(1, wants(2), 0, 1), waiting(2, wants()))

    assert started(decision) == {}


def test_a_gpu_lent_to_another_control_plane_is_not_handed_out() -> None:
    both = waiting(1, wants(2))

    decision = outcome(machine_of(devices=(0, 1), lent=frozenset({0})), both, waiting(2, wants()))

    assert started(decision) == {2: (1,)}
    assert "another control plane" in decision.waits[both.workload_id].message


def test_lower_priority_makes_room_the_newest_first() -> None:
    decision = outcome(
        machine_of(devices=(0, 1)),
        running(1, wants(), 0),
        running(2, wants(), 1),
        waiting(3, wants(priority=BUILD)),
    )

    assert preempted(decision) == {2}
    assert started(decision) == {}


def test_the_lowest_priority_makes_room_first() -> None:
    decision = outcome(
        machine_of(devices=(0, 1)),
        running(1, wants(priority=25), 0),
        running(2, wants(), 1),
        waiting(3, wants(priority=BUILD)),
    )

    assert preempted(decision) == {1}


def test_nobody_is_preempted_whose_place_does_not_help() -> None:
    decision = outcome(
        machine_of(devices=(0,), cores=Fraction(4)),
        running(1, wants(), 0),
        running(2, Need(cores=Fraction(1), priority=25)),
        waiting(3, wants(priority=BUILD)),
    )

    assert preempted(decision) == {1}


def test_nobody_is_preempted_for_a_place_that_cannot_be_made() -> None:
    decision = outcome(
        machine_of(devices=(0, 1)),
        running(1, wants(priority=BUILD), 0),
        running(2, wants(), 1),
        waiting(3, wants(2, priority=BUILD)),
    )

    assert preempted(decision) == set()


def test_equal_priority_and_what_is_not_preemptible_stay() -> None:
    decision = outcome(
        machine_of(devices=(0, 1)),
        running(1, wants(priority=BUILD), 0),
        running(2, wants(priority=150), 1),
        waiting(3, wants(priority=150)),
    )

    assert preempted(decision) == set()


def test_whoever_waits_for_a_place_that_is_being_left_preempts_nobody_else() -> None:
    decision = outcome(
        machine_of(devices=(0, 1)),
        running(1, wants(), 0),
        running(2, wants(), 1, phase=Phase.TERMINATING),
        waiting(3, wants(priority=BUILD)),
    )

    assert preempted(decision) == set()


def test_a_place_is_held_until_it_is_left() -> None:
    decision = outcome(
        machine_of(devices=(0,)), running(1, wants(), 0, phase=Phase.STOPPING), waiting(2, wants())
    )

    assert started(decision) == {}


@pytest.mark.parametrize(
    ("seconds", "starts"),
    [
        pytest.param(1, False, id="not over yet"),
        pytest.param(0, True, id="over"),
        pytest.param(10_000, True, id="set by a clock since put back"),
    ],
)
def test_a_backoff_is_waited_out(seconds: float, starts: bool) -> None:
    training = waiting(1, Need(), not_before=NOW + timedelta(seconds=seconds))

    assert bool(started(outcome(machine_of(), training))) is starts


NEEDS = st.builds(
    Need,
    gpu_devices=st.integers(0, 3),
    gpu_share=st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(1, 3), Fraction("0.1")]),
    cores=st.sampled_from([Fraction(0), Fraction(1), Fraction("2.5")]),
    memory=st.sampled_from([Fraction(0), Fraction(4)]),
    priority=st.sampled_from([25, TRAIN, 75, BUILD]),
)
CAPACITIES = st.builds(
    machine_of,
    devices=st.sampled_from([(), (0,), (0, 1), (0, 1, 2)]),
    lent=st.frozensets(st.integers(0, 2), max_size=1),
    cores=st.sampled_from([None, Fraction(3), Fraction(5)]),
    memory=st.sampled_from([None, Fraction(8)]),
)


def carried_out(
    trainings: dict[str, LocalTraining], capacity: Capacity
) -> tuple[dict[str, LocalTraining], Decision]:
    decision = decide(trainings.values(), capacity, NOW)
    then = dict(trainings)
    for key, grant in decision.starts.items():
        ordered = after.order(
            then[key], grant.devices, NOW, node_pool=grant.pool, nodes=grant.nodes
        ).training
        then[key] = begun(ordered, NOW).training
    for key, preemption in decision.preemptions.items():
        then[key] = after.preempt(then[key], preemption.by, NOW).training
    return then, decision


def assert_within(trainings: dict[str, LocalTraining], capacity: Capacity) -> None:
    held = [one for one in trainings.values() if one.has_process]
    (node,) = capacity.nodes
    for device in node.devices:
        shares = [one.need.gpu_share for one in held if device in one.devices]
        assert sum(shares, Fraction(0)) <= 1
    if node.cores is not None:
        assert sum((one.need.cores for one in held), Fraction(0)) <= node.cores
    if node.memory is not None:
        assert sum((one.need.memory for one in held), Fraction(0)) <= node.memory
    for one in held:
        assert len(one.devices) == (one.need.gpu_devices if one.need.gpus else 0)


@settings(max_examples=60, deadline=None)
@given(st.lists(NEEDS, max_size=8), CAPACITIES, st.data())
def test_whatever_happens_no_more_is_handed_out_than_there_is(
    needs: list[Need], capacity: Capacity, data: st.DataObject
) -> None:
    trainings: dict[str, LocalTraining] = {}

    for number, need in enumerate(needs):
        one = waiting(number, need)
        trainings[one.workload_id] = one
        trainings, _ = carried_out(trainings, capacity)
        assert_within(trainings, capacity)
        for key in data.draw(st.lists(st.sampled_from(sorted(trainings)), max_size=2)):
            trainings[key] = ended(trainings[key], 0, NOW).training
        trainings, _ = carried_out(trainings, capacity)
        assert_within(trainings, capacity)


@settings(max_examples=60, deadline=None)
@given(st.lists(NEEDS, min_size=1, max_size=8), CAPACITIES)
def test_everything_that_fits_the_machine_gets_its_turn(
    needs: list[Need], capacity: Capacity
) -> None:
    capacity = replace(capacity, lent=frozenset())
    trainings = {one.workload_id: one for one in map(waiting, range(len(needs)), needs)}

    for _ in range(3 * len(needs)):
        trainings, _ = carried_out(trainings, capacity)
        trainings = {key: ended(one, 0, NOW).training for key, one in trainings.items()}
    trainings, decision = carried_out(trainings, capacity)

    left = {key for key, one in trainings.items() if one.phase is Phase.PENDING}
    assert left == {key for key, wait in decision.waits.items() if wait.reason}


@settings(max_examples=60, deadline=None)
@given(st.lists(NEEDS, max_size=8), CAPACITIES)
def test_a_preemption_makes_room_for_the_one_it_is_for(
    needs: list[Need], capacity: Capacity
) -> None:
    trainings = {one.workload_id: one for one in map(waiting, range(len(needs)), needs)}
    for key in list(trainings)[: len(needs) // 2]:
        alone, _ = carried_out({**trainings}, capacity)
        trainings[key] = alone[key]

    then, decision = carried_out(trainings, capacity)
    for key, preemption in decision.preemptions.items():
        assert trainings[key].need.priority < trainings[preemption.by].need.priority
        then[key] = ended(then[key], 143, NOW).training
    again, _ = carried_out(then, capacity)

    assert all(again[each.by].has_process for each in decision.preemptions.values())


def test_the_preempted_come_back_once_there_is_room() -> None:
    capacity = machine_of(devices=(0,))
    low, high = running(1, wants(), 0), waiting(2, wants(priority=BUILD))
    trainings = {low.workload_id: low, high.workload_id: high}

    trainings, _ = carried_out(trainings, capacity)
    trainings[low.workload_id] = ended(trainings[low.workload_id], 143, NOW).training
    trainings, _ = carried_out(trainings, capacity)
    trainings[high.workload_id] = ended(trainings[high.workload_id], 0, NOW).training
    trainings, _ = carried_out(trainings, capacity)

    assert trainings[high.workload_id].phase is Phase.COMPLETED
    assert trainings[low.workload_id].phase is Phase.RUNNING
    assert trainings[low.workload_id].starts == 2
