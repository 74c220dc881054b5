from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.record import Report
from sweeper.domain.sources import FileSource, Layout, StdoutSource
from sweeper.objectives.tailing import LINE_BOUND, SourceFiles, Tails
from tests.support.builders import NOW

CSV = FileSource(path="x.csv", layout=Layout.CSV)
JSON = FileSource(path="x.json", layout=Layout.JSON)
PRINTED = StdoutSource(pattern=r"loss (?P<value>\S+)")


def a_reader(
    source: StdoutSource | FileSource, *, bound: int = 1024, remembered: int = 9
) -> SourceFiles:
    tails = Tails(source=source, objective="loss", now=lambda: NOW, bound=bound)
    return SourceFiles(tails, remembered=remembered)


def all_of(
    reader: SourceFiles, file: Path, *, trial: int = 3, ended: bool = False
) -> Sequence[Report]:
    found: list[Report] = []
    while reports := reader.read(trial, file, ended=ended):
        found.extend(reports)
    return found


def losses(reports: Sequence[Report]) -> list[float]:
    return [report.values["loss"] for report in reports]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "log"


def test_what_is_printed_is_read_as_it_comes(file: Path) -> None:
    reader = a_reader(PRINTED)
    file.write_text("begins\nloss 1.0\nloss 0.")
    first = all_of(reader, file)
    file.write_text("begins\nloss 1.0\nloss 0.5\nloss nan\n")

    assert losses(first) == [1.0]
    assert losses(all_of(reader, file)) == [0.5]
    assert all_of(reader, file) == []


def test_a_file_that_comes_late_is_read_then(file: Path) -> None:
    reader = a_reader(PRINTED)
    missing = all_of(reader, file)
    file.write_text("loss 1.0\n")

    assert missing == []
    assert losses(all_of(reader, file)) == [1.0]


def test_reading_anew_gives_the_same_keys(file: Path) -> None:
    file.write_text("loss 1.0\nloss 1.0\nloss 0.5\n")

    once, again = (all_of(a_reader(PRINTED), file) for _ in range(2))

    assert once == again
    assert len({report.key for report in once}) == 3


def test_the_last_line_of_who_has_ended_needs_no_end(file: Path) -> None:
    reader = a_reader(PRINTED)
    file.write_text("loss 1.0\nloss 0.5")

    assert losses(all_of(reader, file)) == [1.0]
    assert losses(all_of(reader, file, ended=True)) == [0.5]


def test_a_progress_bar_is_as_many_lines_as_it_shows(file: Path) -> None:
    file.write_bytes(b"\rloss 1.0\rloss 0.5\r\n")

    assert losses(all_of(a_reader(PRINTED), file)) == [1.0, 0.5]


def test_a_file_that_is_written_anew_is_read_anew(file: Path) -> None:
    reader = a_reader(FileSource(path="x", layout=Layout.JSONL))
    file.write_text('{"loss": 1}\n{"loss": 0.5}\n')
    first = all_of(reader, file)
    file.write_text('{"loss": 1}\n{"loss": 0.4}\n{"loss": 0.3}\n')

    second = all_of(reader, file)

    assert losses(second) == [1.0, 0.4, 0.3]
    assert second[0].key == first[0].key
    assert second[1].key != first[1].key


def test_the_file_of_the_next_attempt_is_read_from_its_beginning(tmp_path: Path) -> None:
    reader = a_reader(PRINTED)
    first, second = tmp_path / "a-1.log", tmp_path / "a-2.log"
    first.write_text("loss 1.0\n")
    second.write_text("loss 1.0\n")

    found = [*all_of(reader, first), *all_of(reader, second)]

    assert losses(found) == [1.0, 1.0]
    assert len({report.key for report in found}) == 2


def test_a_table_is_read_below_its_header(file: Path) -> None:
    reader = a_reader(CSV)
    file.write_text("step,loss")
    early = all_of(reader, file)
    file.write_text("step,loss\n1,0.5\n")
    first = all_of(reader, file)
    file.write_text("step,loss\n1,0.5\n2,oops\n3,0.25\n")

    second = all_of(reader, file)

    assert early == []
    assert [(report.step, report.values) for report in first] == [(1, {"loss": 0.5})]
    assert [(report.step, report.values) for report in second] == [(3, {"loss": 0.25})]


def test_a_json_file_is_read_whenever_it_changes(file: Path) -> None:
    reader = a_reader(JSON)
    file.write_text('{"loss": 1, "step": 1}')
    first = all_of(reader, file)
    file.write_text('{"loss": 0.5, "st')
    torn = all_of(reader, file)
    file.write_text('{"loss": 0.5, "step": 2}')

    assert [losses(first), torn, losses(all_of(reader, file))] == [[1.0], [], [0.5]]
    assert all_of(reader, file) == []


def test_a_line_past_all_bounds_costs_itself_only(file: Path) -> None:
    file.write_bytes(b"loss 9" + b"9" * (3 * LINE_BOUND) + b"\nloss 0.5\n")

    assert losses(all_of(a_reader(PRINTED, bound=4 * LINE_BOUND), file)) == [0.5]


def test_what_was_forgotten_is_read_again_under_the_same_keys(tmp_path: Path) -> None:
    reader = a_reader(PRINTED, remembered=1)
    files = [tmp_path / "a", tmp_path / "b"]
    for each in files:
        each.write_text("loss 1.0\n")
    first = [reader.read(trial, each, ended=False) for trial, each in enumerate(files)]

    assert reader.read(0, files[0], ended=False) == first[0]


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(12, 40), st.integers(1, 9))
def test_all_lines_are_read_once_whatever_comes_when(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int], bound: int, cut: int
) -> None:
    file = tmp_path_factory.mktemp("cut") / "log"
    text = "".join(f"loss {number}\n" for number in numbers)
    reader = a_reader(PRINTED, bound=bound)
    found: list[Report] = []
    for end in [*range(0, len(text), cut), len(text)]:
        file.write_text(text[:end])
        found += all_of(reader, file)

    assert losses(found) == numbers
