"""Whatever the umask, nobody but its owner can read, enter or change what a sweep leaves."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.daemons import Place

REPORTING = "import sweeper\nsweeper.report({'loss': 1.0})\nopen('gate').read()\n"
KEPT = {"sweep.json", "store.db", "store.db-wal", "owner.json", "report.key"}


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    """Return the mode of a folder and of all there is in it, by name; links are left out."""
    found = [folder, *folder.rglob("*")]
    return {
        str(path.relative_to(folder.parent)): stat.S_IMODE(path.lstat().st_mode)
        for path in found
        if not path.is_symlink()
    }


def open_to_others(folder: Path) -> dict[str, str]:
    return {name: oct(mode) for name, mode in modes(folder).items() if mode & 0o077}


async def test_all_that_a_sweep_makes_is_its_owners_alone(place: Place, umask: int) -> None:
    place.script(REPORTING)
    os.mkfifo(place.folder / "gate", 0o600)
    file = place.sweep(
        "name: demo",
        "method: grid",
        "program: train.py",
        "command: ['${interpreter}', '${program}', '${args_json_file}']",
        "parameters: {a: {values: [1, 2]}}",
    )

    async with place.run("run", file) as daemon:
        await daemon.says("trial 1: submitting -> active")
        made = {path.name for path in place.state.rglob("*")}
        found = open_to_others(place.state) | open_to_others(place.runtime)
        await daemon.kill()

    assert made >= KEPT
    assert found == {}
