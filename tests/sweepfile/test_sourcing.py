import pytest

from sweeper.domain.sources import FileSource, Layout, StdoutSource
from tests.sweepfile.files import PLAIN, a_context, spec_of, the_fault, told

MEASURED = PLAIN + "metric: {name: loss}\n"


@pytest.mark.parametrize("written", ["push", "{source: push}", "~"])
def test_push_finds_values_nowhere_else(written: str) -> None:
    assert spec_of(MEASURED + f"objective: {written}").source is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("stdout", StdoutSource()),
        ("{source: stdout, step: epoch}", StdoutSource(step="epoch")),
        (
            r"{source: stdout, pattern: 'loss (?P<value>\S+)'}",
            StdoutSource(pattern=r"loss (?P<value>\S+)"),
        ),
        (
            r"{source: stdout, pattern: 'loss (?P<loss>\S+)'}",
            StdoutSource(pattern=r"loss (?P<loss>\S+)"),
        ),
        (
            "{source: file, path: 'out/${trial}.CSV'}",
            FileSource(path="out/${trial}.CSV", layout=Layout.CSV),
        ),
        (
            "{source: file, path: 'log-${lr}', format: jsonl}",
            FileSource(path="log-${lr}", layout=Layout.JSONL),
        ),
    ],
)
def test_a_source_is_read(written: str, meant: StdoutSource | FileSource) -> None:
    assert spec_of(MEASURED + f"objective: {written}").source == meant


@pytest.mark.parametrize(
    ("written", "path", "said"),
    [
        ("pull", "objective", '"pull" is no source: write push, stdout or file'),
        ("mlflow", "objective", '"mlflow" is not carried out by this version'),
        ("[stdout]", "objective", "write push, stdout, or {source: file"),
        ("{pattern: x}", "objective.source", "source is missing"),
        ("{source: stdout, patern: x}", "objective.patern", "did you mean pattern?"),
        ("{source: stdout, pattern: '('}", "objective.pattern", "is no pattern: missing )"),
        ("{source: stdout, pattern: 'loss (.*)'}", "objective.pattern", "write (?P<value>...)"),
        ("{source: push, pattern: x}", "objective", "push has no pattern"),
        ("{source: stdout, path: x}", "objective", "stdout has no path"),
        ("{source: file}", "objective", "file needs a path"),
        ("{source: file, path: '${trial}.txt'}", "objective", "write format: json, jsonl"),
        ("{source: file, path: x.csv}", "objective.path", "put ${trial} into it"),
        ("{source: file, path: '${tril}.csv'}", "objective.path", "write ${trial}"),
    ],
)
def test_a_source_that_cannot_be_is_a_fault_at_its_place(
    written: str, path: str, said: str
) -> None:
    fault = the_fault(MEASURED + f"objective: {written}")

    assert (fault.line, fault.path) == (7, path)
    assert said in fault.message


def test_a_source_needs_to_know_what_to_look_for() -> None:
    fault = the_fault(PLAIN + "objective: stdout")

    assert told(fault) == (6, 1, "objective")
    assert "write metric: {name: ...}" in fault.message


TRAINING = "training: {project: p, spec: {image: i}}\n"


@pytest.mark.parametrize("written", ["stdout", "{source: file, path: '${trial}.csv'}"])
def test_what_is_on_this_machine_is_refused_for_trainings_elsewhere(written: str) -> None:
    fault = the_fault(MEASURED + TRAINING + f"objective: {written}")

    assert told(fault) == (8, 1, "objective")
    assert "is read on this machine, and trainings on Run:ai run elsewhere" in fault.message


def test_with_local_the_same_file_runs_here() -> None:
    spec = spec_of(MEASURED + TRAINING + "objective: stdout", a_context(local=True))

    assert spec.source == StdoutSource()
