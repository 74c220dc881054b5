"""Refuse to write a trial over a row that the writer has not seen."""

from collections import Counter
from collections.abc import Mapping, Sequence

from sweeper.domain.trial import Trial
from sweeper.errors import StoreError


def check_versions(trials: Sequence[Trial], stored: Mapping[int, int]) -> None:
    """Compare the trials about to be written with the versions of their rows (0: no row).

    Raises:
        StoreError: a row has another version, or one trial is to be written twice.
    """
    counts = Counter(trial.number for trial in trials)
    for trial in trials:
        found = stored.get(trial.number, 0)
        if found != trial.version:
            raise StoreError(
                f"trial {trial.number} was changed meanwhile: its row has version {found}, "
                f"the write is of version {trial.version}"
            )
        if counts[trial.number] > 1:
            raise StoreError(f"trial {trial.number} occurs twice in one transaction")
