import os
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from sweeper.local.sockets import is_of_this_user, listen_at


@pytest.fixture
def path() -> Iterator[Path]:
    with TemporaryDirectory() as root:
        yield Path(root) / "sockets" / "s"


def test_only_its_owner_may_connect(path: Path) -> None:
    listen_at(path).close()

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_what_an_earlier_process_left_is_replaced(path: Path) -> None:
    listen_at(path).close()

    with listen_at(path), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_a_path_that_cannot_be_bound_leaves_nothing_open(path: Path) -> None:
    with pytest.raises(OSError, match="too long"):
        listen_at(path.with_name("x" * 120))


def test_the_other_end_is_known_by_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = socket.socketpair()
    with one, other:
        assert is_of_this_user(one)

        monkeypatch.setattr("os.getuid", lambda: os.geteuid() + 1)

        assert not is_of_this_user(one)
