"""Carry out a wish at once where no daemon runs: open what a daemon has, and end with it."""

from sweeper.bootstrap.assembling import NOTHING_LEFT
from sweeper.bootstrap.folders import SweepFolder
from sweeper.bootstrap.planes import LOCAL
from sweeper.bootstrap.run_options import RunOptions
from sweeper.bootstrap.running import run_sweep
from sweeper.bootstrap.sweeps import started_from
from sweeper.errors import SweeperError
from sweeper.settings import Settings


async def carry_out(settings: Settings, folder: SweepFolder, control_plane: str) -> str:
    """Do what is wished of a sweep without a daemon; return why that was not possible, or "".

    `control_plane` is where the sweep's trainings are. What could not be done stays written
    down for the next daemon.
    """
    file = started_from(folder)
    if file is None or not file.is_file():
        return f"its sweep file {file or ''} is not there any more"
    options = RunOptions(
        file=file,
        settings=settings,
        # The file may give another name by now, with a date in it.
        name=folder.name,
        local=control_plane == LOCAL,
        drains=True,
    )
    try:
        code = await run_sweep(options)
    except SweeperError as error:
        return str(error)
    return "" if code == NOTHING_LEFT else "it was interrupted, or writes are frozen"
