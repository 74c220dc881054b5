import os
from pathlib import Path

import pytest

from sweeper.store.holding import NOTE, Holder, holder_of, remove_note, write_note
from tests.store.builders import NOW


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def test_a_note_says_who_holds_the_store(path: Path) -> None:
    holder = Holder.this_process("daemon", NOW)

    write_note(path, holder)

    assert holder_of(path) == holder
    assert holder.pid == os.getpid()


def test_a_holder_reads_as_process_host_role_and_time() -> None:
    holder = Holder(pid=7, host="nest", role="status", started_at=NOW)

    assert str(holder) == "process 7 on nest (status, since 2026-03-01 12:00:00+00:00)"


def test_a_note_takes_the_place_of_an_older_one(path: Path) -> None:
    write_note(path, Holder(pid=1, host="old", role="daemon", started_at=NOW))
    path.with_name(f"{NOTE}.part").write_text("of a crash", encoding="utf-8")

    write_note(path, Holder(pid=2, host="new", role="daemon", started_at=NOW))

    found = holder_of(path)
    assert found is not None
    assert found.host == "new"
    assert [file.name for file in path.parent.iterdir()] == [NOTE]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", '{"pid": 1}', '{"pid": "x", "host": "", "role": "", "started_at": ""}'],
)
def test_a_note_that_cannot_be_read_names_nobody(path: Path, text: str) -> None:
    path.with_name(NOTE).write_text(text, encoding="utf-8")

    assert holder_of(path) is None


def test_without_a_note_nobody_is_named(path: Path) -> None:
    assert holder_of(path) is None


def test_removing_a_note_twice_does_no_harm(path: Path) -> None:
    write_note(path, Holder.this_process("daemon", NOW))

    remove_note(path)
    remove_note(path)

    assert holder_of(path) is None


def test_a_note_that_cannot_be_written_is_done_without(path: Path) -> None:
    nowhere = path / "below a folder that is missing" / "store.db"

    write_note(nowhere, Holder.this_process("daemon", NOW))
    remove_note(nowhere)

    assert holder_of(nowhere) is None
