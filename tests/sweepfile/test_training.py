import pytest

from sweeper.domain.sweep import TrainingTemplate
from sweeper.domain.values import plain
from tests.sweepfile.files import PLAIN, faults_of, read, spec_of, the_fault, told


def written(training: str) -> str:
    return PLAIN + f"training: {training}\n"


def test_without_a_training_section_a_sweep_is_local() -> None:
    assert spec_of(PLAIN).training is None


@pytest.mark.parametrize(
    ("where", "meant"),
    [
        ("project: a, cluster: b", TrainingTemplate(spec={}, project="a", cluster="b")),
        ("projectId: '1', clusterId: c", TrainingTemplate(spec={}, project_id="1", cluster_id="c")),
    ],
)
def test_project_and_cluster_go_by_name_or_id(where: str, meant: TrainingTemplate) -> None:
    found = spec_of(written(f"{{{where}, spec: {{image: x}}}}")).training

    assert found is not None
    assert plain(found.spec) == {"image": "x"}
    assert (found.project, found.project_id) == (meant.project, meant.project_id)
    assert (found.cluster, found.cluster_id) == (meant.cluster, meant.cluster_id)


@pytest.mark.parametrize(
    ("training", "path", "said"),
    [
        ("", "training", "is empty: write {project: ..., spec: {image: ...}}"),
        ("3", "training", "3 is no mapping"),
        ("{project: a}", "training.spec", "spec is missing"),
        ("{spec: x}", "training.spec", '"x" is no mapping'),
        ("{project: 3, spec: {image: x}}", "training.project", "3 is no text: quote it"),
        ("{project: '', spec: {image: x}}", "training.project", "is empty"),
        ("{projct: a, spec: {image: x}}", "training.projct", "did you mean project?"),
        (
            "{project: a, projectId: b, spec: {image: x}}",
            "training.projectId",
            "project and projectId are both given",
        ),
        (
            "{cluster: a, clusterId: b, spec: {image: x}}",
            "training.clusterId",
            "cluster and clusterId are both given",
        ),
    ],
)
def test_a_training_that_does_not_fit_is_a_fault(training: str, path: str, said: str) -> None:
    fault = the_fault(written(training))

    assert (fault.line, fault.path) == (6, path)
    assert said in fault.message


def test_the_spec_is_checked_beside_other_faults() -> None:
    found = faults_of(written("{project: a, projectId: b, spec: {image: x, imagee: 3}}"))

    assert [each.path for each in found] == ["training.projectId", "training.spec.imagee"]


def test_a_repr_shows_nothing_of_a_spec() -> None:
    text = written(
        "{spec: {image: x, environmentVariables: [{name: API_TOKEN, value: canary-1234}]}}"
    )

    found = read(text)

    assert "canary" not in repr(found)
    assert "canary" not in repr(found.spec)


def test_a_fault_of_the_spec_stands_at_its_field() -> None:
    text = PLAIN + "training:\n  spec:\n    image: x\n    compute:\n      cpuCoreRequest: much\n"

    fault = the_fault(text)

    assert told(fault) == (10, 23, "training.spec.compute.cpuCoreRequest")
