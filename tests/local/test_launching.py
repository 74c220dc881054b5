import fcntl
import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.local.launching import launch, noted_socket
from sweeper.local.runtime import RuntimeUnavailableError
from tests.local.supervising import Place, a_place


@pytest.fixture
def place() -> Iterator[Place]:
    with a_place() as made:
        yield made


def come_and_go(place: Place) -> None:
    """Connect once, so that the supervisor ends at once and not when its patience does."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(noted_socket(place.options)))


def test_a_socket_has_a_short_name_of_its_own_directory(place: Place) -> None:
    other = replace(place.options, directory=place.root / "other")

    path = noted_socket(place.options)

    assert path.parent == place.options.socket_directory
    assert len(path.name) < 30
    assert noted_socket(other) != path


@pytest.mark.parametrize("note", [b"", b"{", b"[]", b'{"socket": 7}', b"\xff", b"[" * 100_000])
def test_a_note_that_says_nothing_is_passed_over(place: Place, note: bytes) -> None:
    expected = noted_socket(place.options)
    place.state.mkdir()

    (place.state / "supervisor.json").write_bytes(note)

    assert noted_socket(place.options) == expected


def test_who_holds_the_lock_is_left_alone(place: Place) -> None:
    place.state.mkdir()
    with (place.state / "supervisor.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        assert not launch(place.options)

    assert not (place.state / "supervisor.json").exists()


def test_what_a_supervisor_keeps_is_private(place: Place) -> None:
    mask = os.umask(0)
    try:
        assert launch(place.options)
    finally:
        os.umask(mask)
    come_and_go(place)

    files = [place.state, place.root / "sockets", *place.state.iterdir()]
    assert {file.name for file in files if file.stat().st_mode & 0o077} == set()
    assert len(files) == 6


def test_a_path_that_no_socket_can_have_is_told_with_the_remedy(place: Place) -> None:
    options = replace(place.options, socket_directory=place.root / ("x" * 100))

    with pytest.raises(RuntimeUnavailableError, match="too long for a socket; set XDG_RUNTIME"):
        launch(options)


def test_a_folder_that_cannot_be_written_is_named(place: Place) -> None:
    place.root.joinpath("sockets").write_text("in the way", encoding="utf-8")

    with pytest.raises(RuntimeUnavailableError, match=r"no supervisor can be started: .*sockets"):
        launch(place.options)


def test_a_supervisor_that_fails_at_its_start_is_told_with_its_log(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeper.local.launching._PROGRAM", "raise SystemExit(3)")

    with pytest.raises(RuntimeUnavailableError, match=r"ended with 3 at its start; see .*\.log"):
        launch(place.options)


def test_a_supervisor_that_hangs_at_its_start_is_given_up(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeper.local.launching._PROGRAM", "import signal; signal.pause()")
    monkeypatch.setattr("sweeper.local.launching._LAUNCH_SECONDS", 0.01)

    with pytest.raises(RuntimeUnavailableError, match="ended with -9"):
        launch(place.options)


def test_a_checkout_that_is_not_installed_starts_its_own_supervisor(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeper.__file__", str(Path.cwd() / "sweeper" / "__init__.py"))

    assert launch(place.options)
    come_and_go(place)
