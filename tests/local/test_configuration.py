from fractions import Fraction
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from sweeper.local.configuration import (
    LocalConfiguration,
    configuration_schema,
    parse_configuration,
    read_configuration,
)
from sweeper.local.gpus import Gpu
from sweeper.local.places import Project
from sweeper.local.quotas import Bounds
from sweeper.local.yaml_files import PlaneFileError

EXAMPLE = Path(__file__).parent.parent.parent / "configs" / "local" / "plane.yaml"
TWO_GPUS = [Gpu(index=index, cuda_name=str(index)) for index in (3, 5)]


def parsed(text: str) -> LocalConfiguration:
    return parse_configuration(text.encode(), "local.yaml")


def faults(text: str) -> str:
    with pytest.raises(PlaneFileError) as caught:
        parsed(text)
    return str(caught.value)


def test_the_example_is_read() -> None:
    found = read_configuration(EXAMPLE)

    default, vision, speech = found.organization.projects
    assert (default.id, default.name) == (Project().id, "default")
    assert vision.node_pools == ("a100", "default")
    assert vision.allotment("a100").quota == Bounds(gpus=Fraction(4), cores=Fraction(32))
    assert speech.allotment("a100").quota.gpus == Fraction(3, 2)
    assert speech.allotment("default").limit.gpus == 1


def test_the_example_fits_the_schema() -> None:
    document = YAML(typ="safe", pure=True).load(EXAMPLE.read_text())

    jsonschema.validate(document, configuration_schema())


def test_an_empty_file_is_no_file() -> None:
    assert parsed("") == LocalConfiguration()


def test_the_first_node_has_the_gpus_of_the_machine_and_others_are_counted_beyond() -> None:
    found = parsed("nodes: [{name: a}, {name: b, gpus: 2}, {name: c}]")

    assert [node.devices for node in found.nodes_with(TWO_GPUS)] == [(3, 5), (6, 7), ()]


@pytest.mark.parametrize(("count", "devices"), [(1, (3,)), (3, (3, 5, 6))])
def test_a_first_node_with_a_number_has_as_many_gpus(count: int, devices: tuple[int, ...]) -> None:
    (node,) = parsed(f"nodes: [{{name: a, gpus: {count}}}]").nodes_with(TWO_GPUS)

    assert node.devices == devices


def test_a_node_has_all_that_is_said_of_it() -> None:
    (node,) = parsed(
        "nodes: [{name: a, pool: p, gpu_memory: 80G, cores: 1.5, memory: 1024, node_type: dgx,"
        " extended: {fpga: 2}, mig: {1g.5gb: 7}}]"
    ).nodes_with([])

    assert (node.pool, node.node_type) == ("p", "dgx")
    assert (node.gpu_memory, node.memory) == (Fraction(80 * 10**9), Fraction(1024))
    assert node.cores == Fraction(3, 2)
    assert node.counted == {"fpga": 2, "nvidia.com/mig-1g.5gb": 7}


def test_a_department_without_a_quota_has_the_sum_of_its_projects() -> None:
    found = parsed(
        "nodes: [{name: n, pool: p}]\n"
        "departments: [{name: d, limit: 9, pools: {p: {over_quota_weight: 2}}}]\n"
        "projects: [{name: a, department: d, quota: 2},"
        " {name: b, department: d, quota: 1.5, pools: {p: {quota: 3}}}]"
    )

    department = found.organization.department("d")
    assert department.allotment("other").quota.gpus == Fraction(7, 2)
    assert department.allotment("other").limit.gpus == 9
    assert department.allotment("p").quota.gpus == 5
    assert department.allotment("p").weight == 2


def test_one_project_with_everything_leaves_its_department_unbounded() -> None:
    found = parsed(
        "departments: [{name: d}]\n"
        "projects: [{name: a, department: d}, {name: b, department: d, quota: 1}]"
    )

    assert found.organization.department("d").allotment("default").quota == Bounds()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("project: []", "1:1: project: a list: unknown key: did you mean projects?"),
        ("nodes: [{name: a, gpu: 1}]", "nodes[0].gpu: 1: unknown key: did you mean gpus?"),
        ("projects: [{quota: 1}]", "projects[0]: name is missing"),
        ("nodes: [{name: a, cores: true}]", "nodes[0].cores: true: write a number"),
        ("nodes: [{name: a, cores: -1}]", "nodes[0].cores: -1: write a number from 0"),
        ("nodes: [{name: a, cores: .nan}]", "write a number from 0"),
        ("nodes: [{name: a, memory: 1..5}]", "nodes[0].memory"),
        ("nodes: [{name: a, memory: []}]", "write an amount such as 64G"),
        ("nodes: [{name: a, gpus: 1.5}]", "nodes[0].gpus: 1.5"),
        ("nodes: [{name: a}, {name: a}]", "nodes[1].name: \"a\": name a is there twice"),
        ("projects: [{name: a, id: 2}, {name: b}]", "id 2 is there twice"),
        ("projects: [{name: a, node_pools: [x]}]", "no node is in that node pool: there are def"),
        ("departments: [{name: a, pools: {x: {}}}]", "departments[0].pools.x"),
        ("projects: [{name: a, quota: 2, limit: 1}]", "the limit of GPUs is below the quota"),
        ("projects: [{name: ../a}]", "projects[0].name"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place_and_a_remedy(text: str, words: str) -> None:
    assert words in faults(text)


def test_all_faults_are_told_at_once() -> None:
    told = faults("nodes: [{name: A, gpus: -1}]\nproject: 1\n")

    assert len(told.splitlines()) == 3
    assert all(line.startswith("local.yaml:") for line in told.splitlines())


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["nodes", "projects", "departments", "other"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["a", ""]),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(st.sampled_from(["name", "quota", "gpus", "pools"]), inner)
            ),
            max_leaves=8,
        ),
    )
)
def test_whatever_the_file_holds_the_answer_is_a_configuration_or_faults(document: object) -> None:
    text = repr(document).replace("None", "null").replace("True", "true").replace("False", "false")

    try:
        found = parsed(text)
    except PlaneFileError:
        return
    assert found.organization.projects
