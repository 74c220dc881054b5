"""All sweeps that were started here, and how each stands."""

from typing import Any

from sweeper.bootstrap.folders import SweepFolder, all_folders
from sweeper.bootstrap.sweeps import started_from
from sweeper.bootstrap.verbs import open_folder
from sweeper.errors import SweeperError
from sweeper.settings import Settings


async def list_sweeps(settings: Settings) -> list[dict[str, Any]]:
    """Return a row for each sweep, by name; one that cannot be asked says why in `trouble`."""
    return [await _row(folder) for folder in all_folders(settings)]


async def _row(folder: SweepFolder) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": folder.name,
        "file": str(started_from(folder) or "") or None,
        "folder": str(folder.path),
        "state": None,
        "daemon": False,
        "planned": None,
        "settled": None,
        "failed": None,
        "best": None,
        "trouble": "",
    }
    try:
        async with open_folder(folder, "ls") as verbs:
            view = await verbs.client.sweep()
    except SweeperError as error:
        return row | {"trouble": str(error)}
    return row | {
        "state": view["sweep"]["state"],
        "daemon": verbs.has_daemon,
        "planned": view["trials"]["planned"],
        "settled": view["trials"]["settled"],
        "failed": view["trials"]["states"]["failed"],
        "best": None if view["best"] is None else view["best"]["objective"],
    }
