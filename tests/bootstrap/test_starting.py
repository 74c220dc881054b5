from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from sweeper.bootstrap.starting import begun_anew, first_record, new_sweep_id, next_record
from sweeper.domain.record import SweepRecord, SweepState
from sweeper.errors import SettingsError, SweepFileError
from sweeper.sweepfile.reading import ReadingContext, SweepFile, parse_sweep
from tests.support.builders import NOW

TEXT = """
name: demo
method: grid
command: [train]
metric: {name: loss, goal: maximize}
parameters: {a: {values: [1, 2]}}
"""

RUNAI = """
name: demo
method: grid
parameters: {a: {values: [1, 2]}}
training: {project: p, spec: {image: IMAGE, command: train}}
"""


def _file(text: str, **changes: str) -> SweepFile:
    for old, new in changes.items():
        text = text.replace(old, new)
    context = ReadingContext(today=date(2026, 3, 1), default_active_local=2)
    return parse_sweep(text, "sweep.yaml", context)


def _record(file: SweepFile, **fields: object) -> SweepRecord:
    from dataclasses import replace

    record = first_record(file, planned=2, directory=Path("/work"), control_plane="local", now=NOW)
    return replace(record, **fields)  # type: ignore[arg-type] # a builder


def test_a_first_record_says_all_that_is_needed_later() -> None:
    record = _record(_file(TEXT))

    assert (record.name, record.slug, record.planned) == ("demo", "demo", 2)
    assert (record.objective, record.goal) == ("loss", "maximize")
    assert record.directory == "/work"
    assert record.state is SweepState.OPEN


def test_an_id_is_ten_base32_characters_and_another_each_time() -> None:
    assert new_sweep_id(lambda count: b"\x00" * count) == "aaaaaaaaaa"
    assert len({_record(_file(TEXT)).id for _ in range(20)}) == 20


def test_a_file_that_says_the_same_goes_on_with_the_same_record() -> None:
    record = _record(_file(TEXT))

    start = next_record(record, _file(TEXT), planned=2, control_plane="local")

    assert start.record == record
    assert not start.retries


def test_a_changed_search_space_is_refused_with_the_difference() -> None:
    record = _record(_file(TEXT))

    with pytest.raises(SweepFileError, match=r"parameters\.a") as refused:
        next_record(record, _file(TEXT, **{"[1, 2]": "[1, 3]"}), planned=2, control_plane="local")

    assert "give the sweep another name" in str(refused.value)


@pytest.mark.parametrize(
    "addition",
    ["limits: {active: 9}", "retry: {application: 2}", "resume: {max: 3}", "cleanup: keep"],
)
def test_what_may_change_is_taken_over(addition: str) -> None:
    record = _record(_file(TEXT))
    file = _file(TEXT + addition + "\n")

    start = next_record(record, file, planned=2, control_plane="local")

    assert start.record.definition == file.definition
    assert start.record.id == record.id


def test_a_sweep_does_not_move_to_another_control_plane() -> None:
    record = _record(_file(TEXT))

    with pytest.raises(SettingsError, match="has run on this machine since its first start"):
        next_record(record, _file(TEXT), planned=2, control_plane="https://runai.example.com")


def test_a_changed_file_reopens_a_sweep_that_was_stopped() -> None:
    stopped = _record(_file(TEXT), state=SweepState.STOPPED, stop_reason="2 trials failed")

    same = next_record(stopped, _file(TEXT), planned=2, control_plane="local")
    changed = next_record(
        stopped, _file(TEXT + "limits: {failures: 9}\n"), planned=2, control_plane="local"
    )

    assert same.record.state is SweepState.STOPPED
    assert changed.record.state is SweepState.OPEN
    assert changed.record.stop_reason == ""
    assert not changed.retries


def test_a_refused_template_may_be_mended_and_its_trials_get_another_chance() -> None:
    refused: Mapping[str, object] = {
        "state": SweepState.STOPPED,
        "rejections": 3,
        "control_plane": "https://x",
    }
    record = _record(_file(RUNAI), **refused)
    mended = _file(RUNAI, IMAGE="other")

    start = next_record(record, mended, planned=2, control_plane="https://x")

    assert start.record.state is SweepState.OPEN
    assert start.record.definition == mended.definition
    assert start.retries


def test_a_refused_sweep_may_not_change_its_search_space() -> None:
    record = _record(_file(RUNAI), state=SweepState.STOPPED, rejections=3)

    with pytest.raises(SweepFileError, match=r"parameters\.a"):
        next_record(record, _file(RUNAI, **{"[1, 2]": "[3]"}), planned=1, control_plane="local")


def test_a_start_that_came_to_no_trial_binds_nobody() -> None:
    kept = _record(_file(TEXT), state=SweepState.PAUSED, report_port=4711)
    mended = first_record(
        _file(TEXT, **{"[1, 2]": "[7]"}),
        planned=1,
        directory=Path("/elsewhere"),
        control_plane="local",
        now=NOW,
    )

    record = begun_anew(kept, mended)

    assert (record.id, record.report_port, record.state) == (kept.id, 4711, SweepState.PAUSED)
    assert (record.definition, record.directory) == (mended.definition, "/elsewhere")
