"""Settings and sweep folders of a test's own, where nothing else on the machine is touched."""

from collections.abc import Sequence
from pathlib import Path

from sweeper.bootstrap.folders import SweepFolder, folder_of
from sweeper.domain.record import Report, SweepRecord
from sweeper.domain.trial import Trial
from sweeper.settings import Settings
from sweeper.store.sql import SqlStore
from sweeper.store.writing import inline
from tests.support.builders import a_sweep


def settings_in(folder: Path, **fields: object) -> Settings:
    """Return settings whose sweeps are kept in `folder`."""
    return Settings.model_validate({"state_dir": folder / "state", **fields})


async def a_kept_sweep(
    settings: Settings,
    *,
    sweep: SweepRecord | None = None,
    trials: Sequence[Trial] = (),
    reports: Sequence[Report] = (),
    file: Path = Path("sweep.yaml"),
) -> SweepFolder:
    """Write a sweep as a daemon that has ended leaves it, and return its folder."""
    record = sweep or a_sweep()
    folder = folder_of(settings, record.name)
    folder.create(file)
    async with SqlStore(folder.store, run=inline) as store:
        await store.save_sweep(record)
        if trials:
            await store.commit(trials)
        await store.add_reports(reports)
    return folder
