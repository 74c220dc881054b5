"""Plans of simulated trainings: what they draw, and how they are read."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.local.runtime import StartOrder
from sweeper.local.simulation import (
    LONGEST_SECONDS,
    Durations,
    Fixed,
    LogNormal,
    SimulationPlan,
    Uniform,
    draw_course,
    parse_simulation,
    read_simulation,
    start_mark,
)
from sweeper.local.yaml_files import PlaneFileError


def test_a_course_is_a_function_of_seed_name_and_start() -> None:
    plan = SimulationPlan(seed=1, failures=0.5, preemptions_per_hour=60)

    courses = [draw_course(plan, mark) for mark in ("a-1", "a-1", "a-2", "b-1")]

    assert courses[0] == courses[1]
    assert len(set(courses)) == 3
    assert draw_course(SimulationPlan(seed=2), "a-1") != draw_course(SimulationPlan(seed=1), "a-1")


def test_shares_hold_over_many_starts() -> None:
    plan = SimulationPlan(
        duration=Fixed(seconds=3600), failures=0.3, exit_code=9, preemptions_per_hour=0.5
    )

    courses = [draw_course(plan, f"a-{number}") for number in range(2000)]

    assert 0.25 < sum(course.exit_code == 9 for course in courses) / 2000 < 0.35
    assert 0.35 < sum(course.preempted is not None for course in courses) / 2000 < 0.45


def test_time_is_scaled() -> None:
    plan = SimulationPlan(time_scale=60, startup=120, duration=Fixed(seconds=600))

    course = draw_course(plan, "a-1")

    assert (course.ready, course.end, course.preempted) == (2, 12, None)


@given(
    st.one_of(
        st.builds(Fixed, seconds=st.floats(0, 1e6)),
        st.builds(Uniform, shortest=st.floats(0, 10), longest=st.floats(0, 1e6)),
        st.builds(LogNormal, median=st.floats(1e-3, 1e8), spread=st.floats(0, 5)),
    ),
    st.integers(),
)
def test_every_length_can_pass(durations: Durations, seed: int) -> None:
    assert 0 <= durations.draw(random.Random(seed)) <= LONGEST_SECONDS


def test_the_mark_is_the_same_whatever_the_id() -> None:
    marks = [
        start_mark(
            StartOrder(
                key=f"{workload_id}-3",
                argv=("true",),
                directory="/",
                environment={"RUNAI_JOB_NAME": "demo", "RUNAI_JOB_UUID": workload_id},
                log_file="/log",
            )
        )
        for workload_id in ("5eeb", "10ca")
    ]

    assert marks == ["demo-3", "demo-3"]


def test_a_plan_is_read_from_yaml(tmp_path: Path) -> None:
    path = tmp_path / "simulation.yaml"
    path.write_text("time_scale: 60\nduration: {kind: uniform, shortest: 5, longest: 10}\n")

    plan = read_simulation(path)

    assert plan == SimulationPlan(time_scale=60, duration=Uniform(shortest=5, longest=10))


def test_a_plan_with_faults_names_their_places() -> None:
    with pytest.raises(PlaneFileError, match=r"^plan:2:1: failures: 3: "):
        parse_simulation(b"seed: 1\nfailures: 3\n", "plan")
