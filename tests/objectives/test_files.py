import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.record import Report
from sweeper.objectives import files
from sweeper.objectives.files import ReportFiles, read_report_lines
from sweeper.reporting import _Reporter


def a_line(loss: float, key: str | None = None) -> bytes:
    at = "2026-03-01T12:00:00+00:00"
    found = {"key": key or str(loss), "at": at, "step": None, "values": {"loss": loss}}
    return json.dumps(found).encode() + b"\n"


def losses(reports: Sequence[Report]) -> list[float]:
    return [report.values["loss"] for report in reports]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "3.jsonl"


def test_what_a_training_wrote_while_nobody_listened_is_read(file: Path) -> None:
    reporter = _Reporter({"SWEEPER_REPORT_FILE": str(file)})
    for step in range(3):
        reporter.report(step, {"loss": step / 2})

    reports, offset = read_report_lines(3, file, 0)

    assert losses(reports) == [0.0, 0.5, 1.0]
    assert [report.step for report in reports] == [0, 1, 2]
    assert offset == file.stat().st_size


def test_only_what_follows_the_offset_is_read(file: Path) -> None:
    file.write_bytes(a_line(1.0))
    _, offset = read_report_lines(3, file, 0)
    file.write_bytes(a_line(1.0) + a_line(2.0))

    reports, _ = read_report_lines(3, file, offset)

    assert losses(reports) == [2.0]


def test_a_line_is_read_once_it_is_whole(file: Path) -> None:
    file.write_bytes(a_line(1.0) + a_line(2.0)[:20])
    first, offset = read_report_lines(3, file, 0)
    file.write_bytes(a_line(1.0) + a_line(2.0))

    second, _ = read_report_lines(3, file, offset)

    assert losses(first) == [1.0]
    assert losses(second) == [2.0]


def test_a_line_that_makes_no_sense_costs_itself_only(file: Path) -> None:
    file.write_bytes(
        a_line(1.0) + b'\n{"key": "tor\n\xff\xfe\n' + b"[" * 9000 + b"\n" + a_line(2.0)
    )

    reports, _ = read_report_lines(3, file, 0)

    assert losses(reports) == [1.0, 2.0]


def test_one_call_reads_so_much_and_no_more(file: Path) -> None:
    file.write_bytes(b"".join(a_line(float(number)) for number in range(9)))
    bound = 2 * len(a_line(0.0)) + 5

    reports, offset = read_report_lines(3, file, 0, bound=bound)

    assert losses(reports) == [0.0, 1.0]
    assert offset == 2 * len(a_line(0.0))


def test_a_line_without_an_end_is_passed_over(file: Path) -> None:
    file.write_bytes(b"x" * 1000 + b"\n" + a_line(1.0))

    reports = ReportFiles(lambda _: file, bound=200).read(3)

    assert losses(reports) == [1.0]


def test_what_is_no_ordinary_file_holds_nothing(tmp_path: Path) -> None:
    pipe, link, loop = tmp_path / "pipe", tmp_path / "link", tmp_path / "dir"
    os.mkfifo(pipe)
    link.symlink_to("/etc/passwd")
    loop.mkdir()

    for path in (pipe, link, loop, tmp_path / "missing", Path("nul\x00")):
        assert read_report_lines(3, path, 0) == ([], 0)


def test_an_error_while_reading_is_an_empty_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise OSError("Stale file handle")

    file.write_bytes(a_line(1.0))
    monkeypatch.setattr(os, "pread", broken)

    assert read_report_lines(3, file, 0) == ([], 0)


def test_report_files_go_on_where_they_left_off(tmp_path: Path) -> None:
    reports = ReportFiles(lambda trial: tmp_path / f"{trial}.jsonl")
    (tmp_path / "1.jsonl").write_bytes(a_line(1.0))
    (tmp_path / "2.jsonl").write_bytes(a_line(2.0))

    read = [losses(reports.read(trial)) for trial in (1, 2, 1)]
    with (tmp_path / "1.jsonl").open("ab") as appended:
        appended.write(a_line(3.0))

    assert read == [[1.0], [2.0], []]
    assert losses(reports.read(1)) == [3.0]


def test_a_file_is_read_to_its_end_piece_by_piece(file: Path) -> None:
    file.write_bytes(b"".join(a_line(float(number)) for number in range(9)))
    reports = ReportFiles(lambda _: file, bound=250)

    pieces = list(iter(lambda: losses(reports.read(3)), []))

    assert list(chain(*pieces)) == [float(number) for number in range(9)]
    assert len(pieces) > 1


def test_a_training_that_floods_its_file_is_read_up_to_a_bound(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(files, "FILE_BOUND", 500)
    file.write_bytes(b"".join(a_line(float(number)) for number in range(99)))
    reports = ReportFiles(lambda _: file, bound=250)

    pieces = list(iter(lambda: losses(reports.read(3)), []))

    assert 4 <= len(list(chain(*pieces))) < 10
    assert [record.message for record in caplog.records] == [
        "trial 3 wrote too many reports: the rest is not read"
    ]


def test_offsets_are_kept_for_the_trials_read_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_REMEMBERED", 2)
    reports = ReportFiles(lambda trial: tmp_path / str(trial))
    for trial in range(3):
        (tmp_path / str(trial)).write_bytes(a_line(1.0))

    read = [len(reports.read(trial)) for trial in (0, 1, 2, 1, 2, 0)]

    assert read == [1, 1, 1, 0, 0, 1]


def test_threads_may_share_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_REMEMBERED", 1)
    reports = ReportFiles(lambda trial: tmp_path / str(trial))
    for trial in range(20):
        (tmp_path / str(trial)).write_bytes(a_line(1.0))

    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(lambda number: len(reports.read(number % 20)), range(200)))

    assert set(read) <= {0, 1}
    assert sum(read) >= 20


@given(st.lists(st.binary(max_size=30) | st.just(a_line(1.0)), max_size=12), st.integers(30, 300))
def test_any_bytes_are_read_to_their_end(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], bound: int
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.jsonl"
    file.write_bytes(b"".join(pieces))
    reports = ReportFiles(lambda _: file, bound=bound)

    found = list(iter(lambda: list(reports.read(3)), []))

    assert all(report.values == {"loss": 1.0} for piece in found for report in piece)
