from pathlib import Path

import pytest

from sweeper.errors import SweepFileError
from sweeper.sweepfile.findings import MAX_FAULTS
from sweeper.sweepfile.reading import read_sweep_file
from tests.sweepfile.files import (
    CONTEXT,
    DATA,
    PLAIN,
    a_context,
    faults_of,
    read,
    told,
    with_parameters,
)

CONFIGS = Path(__file__).parent.parent.parent / "configs"

BROKEN = """\
method: griid
name: ../x
parameters:
  lr: 0.1
  wd: {min: 2, max: .nan}
limits: {active: 0}
seed: -1
seed: 2
foo: yes
"""


def test_every_fault_is_told_in_the_order_of_the_file() -> None:
    assert [told(each) for each in faults_of(BROKEN)] == [
        (1, 9, "method"),
        (2, 7, "name"),
        (4, 7, "parameters.lr"),
        (5, 21, "parameters.wd.max"),
        (6, 18, "limits.active"),
        (7, 7, "seed"),
        (8, 1, "seed"),
    ]


def test_the_message_of_all_faults_is_one_line_each() -> None:
    with pytest.raises(SweepFileError) as caught:
        read(BROKEN)

    lines = str(caught.value).splitlines()
    assert lines[0] == 'sweep.yaml:1:9: method: "griid" is no method: did you mean grid?'
    assert len(lines) == 7


def test_strict_refuses_what_is_only_said_otherwise() -> None:
    text = PLAIN + "x: yes\ncommand: [a, '${b}']\n"

    found = read(text)
    strict = faults_of(text, a_context(strict=True))

    said = sorted((*found.violations, *found.warnings), key=told)
    assert [(told(each), each.message) for each in strict] == [
        (told(each), each.message) for each in said
    ]
    assert len(strict) == 3


def test_a_file_that_is_wrong_everywhere_is_given_up() -> None:
    found = faults_of(with_parameters("\n".join(f"  p{n}: {{}}" for n in range(300))))

    assert len(found) == MAX_FAULTS + 1
    assert "mend these first" in found[-1].message


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_can_run(path: Path) -> None:
    found = read_sweep_file(path, CONTEXT)

    assert found.file == str(path)
    assert found.violations == ()


def test_a_file_without_a_name_is_known_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "lr.yaml"
    path.write_text(PLAIN.replace("name: demo\n", ""))

    name = read_sweep_file(path, CONTEXT).spec.name

    assert name.startswith("lr-")
    assert name == read_sweep_file(path, a_context(strict=True)).spec.name


@pytest.mark.parametrize("name", ["missing.yaml", ".", "a\0b", "x" * 300])
def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path, name: str) -> None:
    with pytest.raises(SweepFileError) as caught:
        read_sweep_file(tmp_path / name, CONTEXT)

    (fault,) = caught.value.faults
    assert told(fault) == (0, 0, "")
    assert fault.message.startswith("cannot be read: ")


def test_the_definition_is_the_plain_data_of_the_file() -> None:
    assert read(PLAIN + "limits: {active: 3}\n").definition == {
        "method": "random",
        "name": "demo",
        "program": "train.py",
        "parameters": {"lr": {"min": 0.0, "max": 1.0}},
        "limits": {"active": 3},
    }


# How many trials are wished for, and how much W&B and sweeper have to say, by file.
WANDB = {
    "all-distributions": (None, 3, 0),
    "anchors": (None, 1, 0),
    "args-json": (None, 0, 0),
    "bayes-hyperband": (None, 0, 0),
    "beta": (20, 0, 0),
    "boolean-flags": (None, 0, 3),
    "cifar-grid": (None, 0, 0),
    "constants": (None, 0, 0),
    "deep-nest": (None, 0, 0),
    "document-start": (None, 0, 0),
    "duplicates": (None, 0, 0),
    "embedded-values": (None, 0, 2),
    "empty-labels": (None, 6, 0),
    "env-command": (None, 0, 0),
    "everything": (50, 0, 0),
    "exponent-spellings": (None, 0, 0),
    "exponents-q": (None, 2, 0),
    "goal-only": (3, 0, 0),
    "grid-steps": (None, 0, 0),
    "half-eta": (None, 0, 0),
    "hydra-append": (None, 2, 0),
    "hydra-groups": (None, 0, 0),
    "hydra-overrides": (None, 0, 0),
    "image-uri": (None, 0, 2),
    "impute-off": (None, 0, 0),
    "ints-as-range": (None, 0, 0),
    "json-file": (None, 0, 0),
    "labels": (None, 4, 0),
    "launch-queue": (None, 0, 4),
    "local-controller": (None, 0, 0),
    "loose-words": (None, 0, 7),
    "max-iter-three": (None, 0, 0),
    "max-iter": (None, 0, 0),
    "mixed-bounds": (100, 0, 1),
    "nested": (None, 0, 0),
    "no-equals": (None, 0, 0),
    "no-program": (None, 0, 1),
    "numbers-in-command": (None, 0, 0),
    "old-docs": (None, 2, 0),
    "old-exponents": (None, 2, 0),
    "override-hydra": (None, 0, 0),
    "q-bells": (None, 0, 0),
    "random-logscale": (50, 0, 0),
    "shell-words": (None, 0, 0),
    "single-function": (5, 0, 0),
    "spaces-and-slashes": (None, 5, 0),
    "strings": (None, 0, 2),
    "tabs-and-crlf": (None, 0, 0),
    "unknown-keys": (None, 3, 0),
    "upper-lower": (None, 0, 0),
    "weighted-kinds": (None, 0, 0),
    "weighted": (None, 0, 0),
    "windows": (None, 0, 0),
}


@pytest.mark.parametrize(("stem", "told_of"), WANDB.items(), ids=WANDB)
def test_sweep_files_of_w_and_b_run_unchanged(
    stem: str, told_of: tuple[int | None, int, int]
) -> None:
    found = read_sweep_file(DATA / f"{stem}.yaml", CONTEXT)

    assert (found.spec.run_cap, len(found.violations), len(found.warnings)) == told_of


def test_every_recorded_file_of_w_and_b_is_read() -> None:
    assert {path.stem for path in DATA.iterdir()} == set(WANDB)
