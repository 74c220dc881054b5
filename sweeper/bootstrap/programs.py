"""Find what a local trial is going to start, before the first one is started."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from sweeper.errors import SettingsError


def require_program(argv: Sequence[str], program: str | None, directory: Path) -> None:
    """Check that the first words of a local trial's command line can be found.

    `/usr/bin/env WORD ...` is looked through, as that is how W&B's default command begins.

    Raises:
        SettingsError: the program, its interpreter or its file is missing; says where it looked.
    """
    words = list(argv)
    if words and Path(words[0]).name == "env" and len(words) > 1 and "=" not in words[1]:
        words = words[1:]
    if words and not _is_found(words[0], directory):
        path = os.environ.get("PATH", os.defpath)
        raise SettingsError(
            f"the command begins with {words[0]!r}, which is nowhere on PATH ({path}); "
            f"trials run in {directory}"
        )
    if program is not None and program in argv and not (directory / program).exists():
        raise SettingsError(
            f"program: {program}: no such file in {directory}, where trials of this sweep run"
        )


def _is_found(word: str, directory: Path) -> bool:
    if os.sep in word:
        return os.access(directory / word, os.X_OK)
    return shutil.which(word) is not None
