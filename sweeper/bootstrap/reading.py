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


def read_file(
    file: Path, settings: Settings, *, strict: bool, local: bool, name: str | None = None
) -> SweepFile:
    """Return what the sweep file at `file` means, under `name` where one is given.

    Raises:
        SweepFileError: it cannot run; holds every fault.
    """
    major, minor = settings.api_version.split(".")
    context = ReadingContext(
        today=utc_now().astimezone().date(),
        default_active_local=cpu_count(),
        name=name,
        strict=strict,
        local=local,
        api_version=(int(major), int(minor)),
        allow_privileged=settings.allow_privileged_spec,
    )
    return read_sweep_file(file, context)


def expand(file: SweepFile) -> Expansion:
    """Return the trials of a sweep file.

    Raises:
        SweepFileError: there are more of them than can be written down.
    """
    expansion = Expansion(file.spec)
    if expansion.planned is not None and expansion.planned >= LARGEST:
        message = "the grid has over 10^1000 points: leave some parameters out"
        raise SweepFileError(
            file.file, [Fault(line=0, column=0, path="parameters", message=message)]
        )
    return expansion


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
