import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.local.identity import ProcessIdentity
from sweeper.local.journal import Entry, Forgotten, Journal, Started
from sweeper.local.runtime import ProcessEnd
from tests.support.builders import NOW


def started(key: str, pid: int = 100) -> Started:
    return Started(key=key, identity=ProcessIdentity(pid=pid, started=7, world="here"))


def ended(key: str, code: int | None = 0) -> ProcessEnd:
    return ProcessEnd(key=key, at=NOW, exit_code=code)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "processes.jsonl"


def write(path: Path, *entries: Entry) -> Journal:
    journal = Journal.open(path)
    journal.append(entries)
    journal.close()
    return journal


def read(path: Path) -> Journal:
    journal = Journal.open(path)
    journal.close()
    return journal


def test_a_new_journal_is_empty_and_private(path: Path) -> None:
    journal = read(path)

    assert (journal.running, journal.ends) == ({}, {})
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_was_written_is_read_again(path: Path) -> None:
    write(path, started("a"), started("b", 101))

    write(path, ended("a", 3), started("c", 102), ended("c", None), Forgotten(keys=["c"]))

    assert read(path).running == {"b": started("b", 101).identity}
    assert read(path).ends == {"a": ended("a", 3)}


def test_a_later_start_of_a_key_holds_against_an_earlier_one(path: Path) -> None:
    write(path, started("a", 100), ended("a"), started("a", 101))

    assert read(path).running == {"a": started("a", 101).identity}
    assert read(path).ends == {}


def test_a_line_cut_short_is_passed_over_and_harms_no_later_one(path: Path) -> None:
    write(path, started("a"), started("b"))
    path.write_bytes(path.read_bytes()[:-5])

    write(path, ended("a"))

    assert read(path).running == {}
    assert read(path).ends == {"a": ended("a")}


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\0\xff",
        b"[" * 100_000,
        b"7",
        b'{"started": ["b", 1, 7, "here"]}',
        b'{"started": ["b", -1, 7, "here"]}',
        b'{"started": ["b", "100", 7, "here"]}',
        b'{"ended": ["b", "now", 0]}',
        b'{"forgotten": "a"}',
        b'{"forgotten": [["a"]]}',
        b'{"unheard": "of"}',
    ],
    ids=lambda line: str(line[:40]),
)
def test_a_line_of_another_kind_is_passed_over(path: Path, line: bytes) -> None:
    write(path, started("a"))
    path.write_bytes(line + b"\n" + path.read_bytes() + line + b"\n")

    assert read(path).running == {"a": started("a").identity}
    assert read(path).ends == {}


@given(st.binary(max_size=200))
@settings(max_examples=50)
def test_no_file_keeps_a_journal_from_being_opened(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("journal") / "processes.jsonl"
    path.write_bytes(content)

    write(path, started("a"))

    assert "a" in read(path).running


@given(st.data())
@settings(max_examples=30)
def test_cut_anywhere_it_tells_what_a_prefix_of_the_entries_tells(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("journal") / "processes.jsonl"
    entries: list[Entry] = [
        started("a"),
        started("b"),
        ended("a"),
        Forgotten(keys=["a"]),
        ended("b", 1),
    ]
    write(path, *entries)
    content = path.read_bytes()

    cut = data.draw(st.integers(0, len(content)))
    path.write_bytes(content[:cut])

    whole = content[:cut].count(b"\n")
    expected = write(path.with_name("expected"), *entries[:whole])
    assert (read(path).running, read(path).ends) == (expected.running, expected.ends)


def test_what_cannot_be_written_does_not_hold(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal.open(path)
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", _no_space)
        with pytest.raises(OSError, match="No space"):
            journal.append([started("a")])
    assert journal.running == {}

    journal.append([started("b")])
    journal.close()

    assert "b" in read(path).running


def _no_space(_: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _filled(path: Path, count: int) -> Journal:
    journal = Journal.open(path)
    journal.append([started("runs")])
    journal.append([ended("ended", 3)])
    journal.append([started(f"{number}") for number in range(count)])
    journal.append([Forgotten(keys=[f"{number}" for number in range(count)])])
    return journal


def test_a_journal_of_few_lines_is_not_written_anew(path: Path) -> None:
    journal = _filled(path, 900)
    before = path.stat()

    journal.compact()

    journal.close()
    assert path.stat().st_ino == before.st_ino
    assert path.stat().st_size == before.st_size


def test_a_journal_of_forgotten_lines_is_written_anew_and_goes_on(path: Path) -> None:
    journal = _filled(path, 1100)
    path.with_suffix(".part").write_text("of a crash\n", encoding="utf-8")

    journal.compact()
    journal.append([started("new", 105)])

    journal.close()
    assert len(path.read_bytes().splitlines()) == 3
    assert set(read(path).running) == {"runs", "new"}
    assert read(path).ends == {"ended": ended("ended", 3)}


def test_a_journal_that_cannot_be_written_anew_goes_on_as_it_is(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = _filled(path, 1100)
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", _no_space)
        with pytest.raises(OSError, match="No space"):
            journal.compact()

    journal.append([started("new", 105)])

    journal.close()
    assert set(read(path).running) == {"runs", "new"}


def test_a_journal_that_is_a_folder_is_refused(path: Path) -> None:
    path.mkdir()

    with pytest.raises(IsADirectoryError):
        Journal.open(path)
