"""What `sweeper run` was asked for, beside the settings."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sweeper.bootstrap.reading import read_duration
from sweeper.domain.leaving import OnExit
from sweeper.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a sweep is run, and how its daemon ends.

    `name` stands in for the file's own. `max_runtime` stops the daemon with work left; `on_exit`
    says what becomes of active trainings then, and with `exit_zero_on_runtime` that is no failure.
    `wait_for_lock` is how long to wait for another daemon of this sweep to end. `quiet` prints
    nothing unless the exit code is another than 0. `linger` is how long metrics are served after
    the end.
    `drains` carries out what a person wished and starts nothing new: it ends once no trial is
    being given up any more.
    """

    file: Path
    settings: Settings
    name: str | None = None
    local: bool = False
    strict: bool = False
    max_runtime: str | None = None
    on_exit: OnExit = OnExit.LEAVE
    exit_zero_on_runtime: bool = False
    wait_for_lock: str | None = None
    quiet: bool = False
    linger: str | None = None
    as_json: bool = False
    drains: bool = False

    def longest(self) -> timedelta | None:
        """Return `max_runtime` as a length of time; raises SettingsError."""
        return _length(self.max_runtime, "--max-runtime")

    def patience(self) -> timedelta:
        """Return `wait_for_lock` as a length of time; raises SettingsError."""
        return _length(self.wait_for_lock, "--wait-for-lock") or timedelta()

    def lingers(self) -> timedelta:
        """Return `linger` as a length of time; raises SettingsError."""
        return _length(self.linger, "--linger") or timedelta()


def _length(text: str | None, flag: str) -> timedelta | None:
    return None if text is None else read_duration(text, flag)
