import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweeper.local.identity import identify, start_ticks, this_world


@pytest.fixture(autouse=True)
def _look_anew() -> Iterator[None]:
    this_world.cache_clear()
    yield
    this_world.cache_clear()


def test_a_process_keeps_its_identity() -> None:
    identity = identify(os.getpid())

    assert identity == identify(os.getpid())
    assert identity.started == start_ticks(os.getpid()) != start_ticks(1)


def test_the_world_names_this_start_of_the_machine_and_this_container() -> None:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()

    assert this_world() == f"{boot} {Path('/proc/self/ns/pid').readlink()}"


def test_a_system_that_tells_nothing_gives_no_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeper.local.identity._BOOT_ID", Path("/no/such/file"))

    assert this_world() == ""


def test_a_process_that_does_not_exist_has_no_start() -> None:
    assert start_ticks(2**22 + 1) is None
