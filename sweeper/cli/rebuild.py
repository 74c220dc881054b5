"""`sweeper rebuild`: make a lost or broken store again."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sweeper.cli.exits import Exit
from sweeper.cli.options import (
    AsJson,
    Local,
    StateDir,
    SweepFilePath,
    SweepName,
    loaded,
    print_json,
    waited,
)
from sweeper.cli.words import shown
from sweeper.errors import SettingsError

if TYPE_CHECKING:
    from sweeper.bootstrap.rebuilding import Survey


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("rebuild")(rebuild)


def rebuild(
    file: SweepFilePath,
    sweep_id: Annotated[
        str | None,
        typer.Option(
            "--sweep-id", metavar="ID", help="Which sweep, where several of the name are found."
        ),
    ] = None,
    name: SweepName = None,
    local: Local = False,
    force: Annotated[
        bool, typer.Option("--force", help="Put a store aside that seems to be well.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Write it; do not ask.")] = False,
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> int:
    """Make a sweep's store again from its file and its trainings; then `sweeper run` goes on.

    For a store that is lost or broken. Trials are found by the names and labels of their
    trainings, deleted ones too. The broken store is kept beside the new one. What reports it
    held is lost. Exits with 0 once it is written, with 1 if that was declined.
    """
    from sweeper.bootstrap.rebuilding import RebuildOptions, survey, write

    if sweep_id is not None and not _is_id(sweep_id):
        raise SettingsError(f"--sweep-id: {sweep_id[:40]!r} is none: write 10 of a-z and 2-7")
    options = RebuildOptions(
        file=Path(file),
        settings=loaded(state_dir=state_dir, log_level="error"),
        sweep_id=sweep_id,
        name=name,
        local=local,
        force=force,
    )
    found = waited(survey(options))
    if not as_json:
        typer.echo(_text(found))
    is_agreed = yes or (not as_json and _agrees())
    aside = waited(write(found)) if is_agreed else None
    if as_json:
        print_json(
            {
                "sweep": found.folder.name,
                "id": found.record.id,
                "trials": len(found.changes),
                "states": dict(sorted(found.states.items())),
                "written": is_agreed,
                "kept": None if aside is None else str(aside),
            }
        )
    elif is_agreed:
        kept = "" if aside is None else f"; the old store is kept as {aside}"
        again = "" if name is None else f" --name {shlex.quote(name)}"
        typer.echo(f"the store is written{kept}; `sweeper run {file}{again}` goes on")
    return Exit.OK if is_agreed else Exit.UNFINISHED


def _is_id(text: str) -> bool:
    return len(text) == 10 and all(letter in "abcdefghijklmnopqrstuvwxyz234567" for letter in text)


def _agrees() -> bool:
    if not sys.stdin.isatty():
        typer.echo("nothing was written: give --yes to write the store", err=True)
        return False
    return typer.confirm("Write the store so?")


def _text(found: "Survey") -> str:
    states = ", ".join(f"{count} {state}" for state, count in sorted(found.states.items()))
    count = len(found.changes)
    left = f"{count} trial has" if count == 1 else f"{count} trials have"
    return f"{shown(found.folder.name)} (id {found.record.id}): {left} left a trace: {states}"
