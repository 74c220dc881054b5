from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.domain.phase import Phase
from sweeper.local import trainings as after
from sweeper.local.nodes import Node
from sweeper.local.places import Organization, Project
from sweeper.local.pods import Pod
from sweeper.local.quotas import Allotment, Bounds, Department, Kind
from sweeper.local.room import Capacity
from sweeper.local.scheduler import Decision, decide
from sweeper.local.spec_reading import Need
from sweeper.local.trainings import LocalTraining
from tests.local.builders import NOW, a_training

BUILD, TRAIN, VERY_LOW = 100, 50, 25


def gpus(quota: float | None, limit: float | None = None, weight: int = 1) -> Allotment:
    def bounds(most: float | None) -> Bounds:
        return Bounds(gpus=None if most is None else Fraction(most))

    return Allotment(quota=bounds(quota), limit=bounds(limit), weight=Fraction(weight))


def project(name: str, allotment: Allotment, department: str = "default") -> Project:
    return Project(id=name, name=name, elsewhere=allotment, department=department)


def organization(*projects: Project, departments: tuple[Department, ...] = ()) -> Organization:
    return Organization(projects=projects, departments=departments)


def node(name: str = "one", devices: int = 4, **parts: Any) -> Node:
    first = {"one": 0, "two": 10}[name]
    return Node(name=name, devices=tuple(range(first, first + devices)), **parts)


def capacity(*nodes: Node) -> Capacity:
    return Capacity(nodes=nodes or (node(),), takes_any_pool=False)


def waiting(number: int, owner: str, devices: int = 1, **need: Any) -> LocalTraining:
    return a_training(
        number, need=Need(gpu_devices=devices, **need), project_id=owner, phase=Phase.PENDING
    )


def running(number: int, owner: str, *devices: int, at: str = "one", **need: Any) -> LocalTraining:
    return a_training(
        number,
        Phase.RUNNING,
        need=Need(gpu_devices=len(devices), **need),
        project_id=owner,
        pods=(Pod(devices=devices, node=at),),
        node_pool="default",
    )


def started(decision: Decision) -> list[int]:
    return [int(key[-12:]) for key in decision.starts]


def preempted(decision: Decision) -> set[int]:
    return {int(key[-12:]) for key in decision.preemptions}


def test_a_project_reclaims_what_it_deserves_whatever_the_priority() -> None:
    here = organization(project("a", gpus(2)), project("b", gpus(2)))
    holders = [running(number, "b", number, priority=75) for number in range(4)]

    decision = decide([*holders, waiting(9, "a", 2, priority=VERY_LOW)], capacity(), NOW, here)

    assert preempted(decision) == {2, 3}
    assert all(each.is_reclaim for each in decision.preemptions.values())


def test_nothing_is_reclaimed_beyond_what_is_deserved() -> None:
    here = organization(project("a", gpus(1)), project("b", gpus(2)))
    holders = [running(number, "b", number) for number in range(4)]

    decision = decide([*holders, waiting(9, "a", 2)], capacity(), NOW, here)

    assert preempted(decision) == set()
    assert "Not enough resources" in decision.waits[waiting(9, "a").workload_id].message


def test_nothing_is_reclaimed_from_those_within_their_quota_or_not_preemptible() -> None:
    here = organization(project("a", gpus(2)), project("b", gpus(2)), project("c", gpus(1)))
    holders = [
        running(1, "b", 0),
        running(2, "b", 1),
        running(3, "c", 2, priority=BUILD),
        running(4, "c", 3, priority=BUILD),
    ]

    decision = decide([*holders, waiting(9, "a")], capacity(), NOW, here)

    assert preempted(decision) == set()


def test_whoever_is_most_beyond_its_share_gives_back_first() -> None:
    here = organization(
        project("a", gpus(1)), project("b", gpus(0, weight=1)), project("c", gpus(0, weight=3))
    )
    holders = [running(1, "b", 0), running(2, "b", 1), running(3, "c", 2), running(4, "c", 3)]

    decision = decide([*holders, waiting(9, "a")], capacity(), NOW, here)

    assert preempted(decision) == {2}


@pytest.mark.parametrize(("quota_of_b", "taken"), [(4, set()), (2, {4})])
def test_across_departments_only_one_beyond_its_quota_gives_back(
    quota_of_b: int, taken: set[int]
) -> None:
    here = organization(
        project("a", gpus(1), "da"),
        project("b", gpus(0), "db"),
        departments=(
            Department(name="da", elsewhere=gpus(1)),
            Department(name="db", elsewhere=gpus(quota_of_b)),
        ),
    )
    holders = [running(number, "b", number - 1) for number in range(1, 5)]

    decision = decide([*holders, waiting(9, "a")], capacity(), NOW, here)

    assert preempted(decision) == taken


def test_what_is_not_preemptible_stays_within_the_quota() -> None:
    here = organization(project("a", gpus(1)))

    decision = decide(
        [waiting(1, "a", priority=BUILD), waiting(2, "a", priority=BUILD), waiting(3, "a")],
        capacity(),
        NOW,
        here,
    )

    assert started(decision) == [1, 3]
    wait = decision.waits[waiting(2, "a").workload_id]
    assert wait.reason == "NonPreemptibleOverQuota"
    assert "Workload requested 1 GPUs, but a quota is 1 GPUs, while 1 GPUs are" in wait.message


def test_a_department_bounds_what_is_not_preemptible() -> None:
    here = organization(
        project("a", gpus(4), "d"), departments=(Department(name="d", elsewhere=gpus(1)),)
    )

    decision = decide([waiting(1, "a", 2, priority=BUILD)], capacity(), NOW, here)

    assert "department d quota is 1 GPUs" in next(iter(decision.waits.values())).message


@pytest.mark.parametrize("allotment", [gpus(1, 2), gpus(2, weight=0)], ids=["limit", "weight 0"])
def test_a_limit_is_never_exceeded(allotment: Allotment) -> None:
    here = organization(project("a", allotment), project("b", gpus(1)))

    decision = decide(
        [waiting(number, "a") for number in range(1, 4)] + [waiting(9, "b")], capacity(), NOW, here
    )

    assert sorted(started(decision)) == [1, 2, 9]
    wait = decision.waits[waiting(3, "a").workload_id]
    assert wait.reason == "OverLimit"
    assert "Limit is 2 GPUs, currently 2 GPUs allocated" in wait.message


def test_a_smaller_one_does_not_pass_whoever_waits_for_the_limit() -> None:
    here = organization(project("a", gpus(3, 3)))

    decision = decide(
        [running(1, "a", 0, 1), waiting(2, "a", 2), waiting(3, "a", 1)], capacity(), NOW, here
    )

    assert started(decision) == []


def test_higher_priority_takes_the_limit_from_its_own_project() -> None:
    here = organization(project("a", gpus(1, 1)))

    decision = decide([running(1, "a", 0), waiting(2, "a", priority=75)], capacity(), NOW, here)

    assert preempted(decision) == {1}
    assert not next(iter(decision.preemptions.values())).is_reclaim


def test_higher_priority_takes_nothing_from_another_project() -> None:
    here = organization(project("a", gpus(0)), project("b", gpus(0)))
    holders = [running(number, "b", number, priority=VERY_LOW) for number in range(4)]

    decision = decide([*holders, waiting(9, "a", priority=75)], capacity(), NOW, here)

    assert preempted(decision) == set()


def test_what_is_beyond_all_quotas_is_shared_by_weight() -> None:
    here = organization(project("a", gpus(0, weight=1)), project("b", gpus(0, weight=3)))
    trainings = [waiting(number, "a") for number in range(1, 5)]
    trainings += [waiting(number, "b") for number in range(5, 9)]

    decision = decide(trainings, capacity(), NOW, here)

    assert sorted(started(decision)) == [1, 5, 6, 7]


def test_the_first_pool_with_room_is_taken() -> None:
    nodes = node("one", 1, pool="p1"), node("two", 1, pool="p2")
    wanted: dict[str, Any] = {"node_pools": ("p2", "p1")}

    decision = decide([waiting(number, "1", **wanted) for number in (1, 2)], capacity(*nodes), NOW)

    assert [grant.pool for grant in decision.starts.values()] == ["p2", "p1"]


@pytest.mark.parametrize(
    ("need", "words"),
    [
        ({"node_pools": ("p9",)}, "node pool p9"),
        ({"node_type": "dgx"}, "node type dgx in default"),
        ({"extended": {"fpga": Fraction(2)}}, "2 fpga of 1"),
        ({"mig_profile": "1g.5gb"}, "1 nvidia.com/mig-1g.5gb of 0"),
        ({"gpu_memory": Fraction(81)}, "1 GPUs of 4"),
        ({"pods": 5}, "5 pods at one time"),
    ],
)
def test_what_there_is_nowhere_is_named(need: dict[str, Any], words: str) -> None:
    here = node(gpu_memory=Fraction(80), counted={"fpga": Fraction(1)})

    decision = decide([waiting(1, "1", **need)], capacity(here), NOW)

    (wait,) = decision.waits.values()
    assert (wait.reason, wait.message) == ("OverLimit", f"Asks for more than there is: {words}")


def test_without_configuration_every_pool_type_and_resource_is_had() -> None:
    need: dict[str, Any] = {
        "node_pools": ("a100",),
        "node_type": "dgx",
        "extended": {"fpga": Fraction(2)},
        "mig_profile": "1g.5gb",
    }
    plain = Capacity(nodes=(Node(devices=(0,), takes_any=True),))

    decision = decide([waiting(1, "1", **need)], plain, NOW)

    assert [grant.devices for grant in decision.starts.values()] == [(0,)]


def test_gpu_memory_is_a_part_of_a_device_where_its_size_is_known() -> None:
    known, unknown = node("one", 1, gpu_memory=Fraction(80), pool="p1"), node("two", 1, pool="p2")
    half: dict[str, Any] = {"gpu_memory": Fraction(40)}

    decision = decide(
        [waiting(number, "1", **half) for number in range(1, 5)], capacity(known, unknown), NOW
    )

    assert [grant.pool for grant in decision.starts.values()] == ["p1", "p1", "p2"]


def test_slices_of_gpus_are_counted_beside_whole_ones() -> None:
    here = node(devices=0, counted={"nvidia.com/mig-1g.5gb": Fraction(2)})
    trainings = [waiting(number, "1", mig_profile="1g.5gb") for number in range(1, 4)]

    decision = decide(trainings, capacity(here), NOW)

    assert started(decision) == [1, 2]


def test_all_pods_of_a_training_start_in_one_pool_or_none() -> None:
    nodes = node("one", 2, pool="p1"), node("two", 3, pool="p1")

    decision = decide(
        [waiting(1, "1", 1, pods=4), waiting(2, "1", 1, pods=2)], capacity(*nodes), NOW
    )

    (grant,) = decision.starts.values()
    assert grant.nodes == ("one", "one", "two", "two")
    assert grant.devices == (0, 1, 10, 11)


def test_whoever_waits_closes_only_the_node_where_most_is_free() -> None:
    nodes = node("one", 4), node("two", 4)
    holders = [running(1, "1", 0, 1), running(2, "1", 10, at="two")]

    decision = decide(
        [*holders, waiting(3, "1", 4), waiting(4, "1", 2), waiting(5, "1", 2)],
        capacity(*nodes),
        NOW,
    )

    assert [grant.nodes for grant in decision.starts.values()] == [("one",)]


SIZES = st.integers(1, 3)
QUOTAS = st.sampled_from([gpus(0), gpus(1), gpus(2), gpus(3, 4), gpus(1, weight=0), gpus(2, 2)])
NEEDS = st.tuples(
    st.sampled_from("ab"), SIZES, st.sampled_from([VERY_LOW, TRAIN, 75, BUILD]), st.integers(1, 2)
)


def carried_out(
    trainings: dict[str, LocalTraining], here: Organization, there: Capacity
) -> tuple[dict[str, LocalTraining], Decision]:
    decision = decide(trainings.values(), there, NOW, here)
    then = dict(trainings)
    for key, grant in decision.starts.items():
        step = after.order(then[key], grant.devices, NOW, node_pool=grant.pool, nodes=grant.nodes)
        then[key] = step.training
    for key, preemption in decision.preemptions.items():
        assert then[key].need.is_preemptible
        then[key] = after.preempt(then[key], preemption.by, NOW).training
    return then, decision


def assert_within(trainings: dict[str, LocalTraining], here: Organization, there: Capacity) -> None:
    holding = [one for one in trainings.values() if one.pods]
    handed_out = [device for one in holding for device in one.devices]
    assert len(handed_out) == len(set(handed_out))
    for one in here.projects:
        own = [each for each in holding if each.project_id == one.id]
        fixed = [each for each in own if not each.need.is_preemptible]
        for held, most in (
            (fixed, one.elsewhere.quota.gpus),
            (own, one.elsewhere.most(Kind.GPUS)),
        ):
            total = sum((each.need.gpus for each in held), Fraction(0))
            assert most is None or total <= most
    assert there.nodes


@settings(max_examples=80, deadline=None)
@given(st.lists(NEEDS, max_size=9), QUOTAS, QUOTAS, st.integers(1, 5))
def test_a_fixed_population_comes_to_rest_within_all_bounds(
    needs: list[tuple[str, int, int, int]], first: Allotment, second: Allotment, devices: int
) -> None:
    here = organization(project("a", first), project("b", second))
    there = capacity(node(devices=devices))
    trainings: dict[str, LocalTraining] = {}

    for number, (owner, size, priority, pods) in enumerate(needs):
        one = waiting(number, owner, size, priority=priority, pods=pods)
        trainings[one.workload_id] = one
        trainings, _ = carried_out(trainings, here, there)
        assert_within(trainings, here, there)
    for _ in range(40):
        trainings, decision = carried_out(trainings, here, there)
        assert_within(trainings, here, there)
        trainings = {key: _left(one) for key, one in trainings.items()}
        if not decision.starts and not decision.preemptions:
            break
    else:
        pytest.fail("still preempting each other")


@settings(max_examples=60, deadline=None)
@given(st.lists(NEEDS, min_size=1, max_size=9), QUOTAS, QUOTAS, st.integers(1, 5))
def test_everybody_that_can_ever_start_gets_in(
    needs: list[tuple[str, int, int, int]], first: Allotment, second: Allotment, devices: int
) -> None:
    here = organization(project("a", first), project("b", second))
    there = capacity(node(devices=devices))
    made = [
        waiting(number, owner, size, priority=priority, pods=pods)
        for number, (owner, size, priority, pods) in enumerate(needs)
    ]
    trainings = {one.workload_id: one for one in made}

    for _ in range(3 * len(needs)):
        trainings, _decision = carried_out(trainings, here, there)
        trainings = {key: _gone(one) for key, one in trainings.items()}
    trainings, decision = carried_out(trainings, here, there)

    left = {key for key, one in trainings.items() if one.phase is Phase.PENDING}
    assert left == {key for key, wait in decision.waits.items() if wait.is_forever}


def _left(one: LocalTraining) -> LocalTraining:
    """Let the processes of a training that is being stopped end."""
    return after.left(one, NOW).training if one.phase is Phase.TERMINATING else one


def _gone(one: LocalTraining) -> LocalTraining:
    """Let all processes of a training end well."""
    is_working = one.phase is Phase.INITIALIZING
    return after.finish(one, Phase.COMPLETED, "", NOW).training if is_working else _left(one)
