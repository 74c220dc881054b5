"""Read a sweep file with what the settings and this machine add to its meaning."""

import os
from datetime import timedelta
from pathlib import Path

from sweeper.clock import utc_now
from sweeper.domain.expansion import Expansion
from sweeper.errors import Fault, SettingsError, SweepFileError
from sweeper.settings import Settings
from sweeper.sweepfile.durations import parse_duration
from sweeper.sweepfile.reading import ReadingContext, SweepFile, read_sweep_file

LARGEST = 10**1000
"""No sweep has so many trials; Python would not write the number either."""


def read_file(file: Path, settings: Settings, *, strict: bool, local: bool) -> SweepFile:
    """Return what the sweep file at `file` means.

    Raises:
        SweepFileError: it cannot run; holds every fault.
    """
    major, minor = settings.api_version.split(".")
    context = ReadingContext(
        today=utc_now().astimezone().date(),
        default_active_local=cpu_count(),
        strict=strict,
        local=local,
        api_version=(int(major), int(minor)),
        allow_privileged=settings.allow_privileged_spec,
    )
    return read_sweep_file(file, context)


def expand(file: SweepFile) -> Expansion:
    """Return the trials of a sweep file.

    Raises:
        SweepFileError: there are more of them than `limits.max_trials`, or than can be written.
    """
    expansion = Expansion(file.spec)
    planned, bound = expansion.planned, file.spec.limits.max_trials
    if planned is not None and planned >= LARGEST:
        raise _too_many(file, "parameters", "the grid has over 10^1000 points: leave some out")
    if bound is not None and (planned is None or planned > bound):
        many = "trials without end" if planned is None else f"{planned} trials"
        message = f"the sweep has {many}, above {bound}: raise it, or set run_cap"
        raise _too_many(file, "limits.max_trials", message)
    return expansion


def _too_many(file: SweepFile, path: str, message: str) -> SweepFileError:
    return SweepFileError(file.file, [Fault(line=0, column=0, path=path, message=message)])


def read_duration(text: str, flag: str) -> timedelta:
    """Return the duration that a flag gives.

    Raises:
        SettingsError: it is none, or no time at all.
    """
    try:
        duration = parse_duration(float(text) if text.isdecimal() else text)
    except ValueError as error:
        raise SettingsError(f"{flag}: {text[:40]!r} {error}") from error
    if not duration:
        raise SettingsError(f"{flag}: {text[:40]!r} is no time at all: write such as 90s, 10m, 7h")
    return duration


def cpu_count() -> int:
    """Return how many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
