"""From a sweep file to what it means: the whole file, every fault at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sweeper.domain.sweep import SweepSpec
from sweeper.domain.values import JsonValue
from sweeper.sweepfile.places import Notice
from sweeper.wire.rules.view import OLDEST_VERSION, Version


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingContext:
    """What a sweep file's meaning depends on beside its text.

    `today` stands for `{date}` in the name. `default_active_local` is `limits.active` of a sweep
    on this machine that gives none. `strict` makes every violation and warning a fault. `local`
    runs a sweep with a training section on this machine. `api_version` is the control plane's;
    `allow_privileged` lets privileged fields of the spec pass.
    """

    today: date
    default_active_local: int
    strict: bool = False
    local: bool = False
    api_version: Version = OLDEST_VERSION
    allow_privileged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepFile:
    """A sweep file that can run.

    `violations` is what W&B would complain about, `warnings` what sweeper has to say; both in
    the file's order. `definition` is the file's plain data with values of environment variables,
    and whatever else looks like a secret, replaced by digests. `digest` covers what of it may
    not change once the sweep has started.
    """

    file: str
    spec: SweepSpec
    violations: tuple[Notice, ...]
    warnings: tuple[Notice, ...]
    definition: Mapping[str, JsonValue]
    digest: str


def read_sweep_file(path: Path, context: ReadingContext) -> SweepFile:
    """Return what the file at `path` means.

    Raises:
        SweepFileError: it cannot be read, or it cannot run; holds all faults in file order.
    """
    raise NotImplementedError


def parse_sweep(text: str | bytes, file: str, context: ReadingContext) -> SweepFile:
    """Return what `text` means as the content of the file named `file`, which need not exist.

    Raises:
        SweepFileError: it cannot run; holds all faults in file order.
    """
    raise NotImplementedError
