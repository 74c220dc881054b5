"""`sweeper gc`: find and delete trainings of ours that no trial owns."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sweeper.cli.exits import Exit
from sweeper.cli.options import AsJson, StateDir, loaded, print_json, waited
from sweeper.cli.words import shown

if TYPE_CHECKING:
    from sweeper.bootstrap.collecting import Collection


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("gc")(gc)


def gc(
    sweep: Annotated[
        str | None,
        typer.Argument(
            metavar="[SWEEP]", help="A sweep's name, or the path of its file (default: all)."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete what is found; do not ask.")] = False,
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> int:
    """Find trainings that are ours by name and labels, and that no trial owns; delete them.

    Asks before it deletes, on a terminal; elsewhere it deletes with --yes only. Nothing else is
    ever touched. Exits with 1 if orphans are left, or a sweep could not be looked through.
    """
    from sweeper.bootstrap.collecting import delete_orphans, find_orphans

    settings = loaded(state_dir=state_dir, log_level="error")
    found = waited(find_orphans(settings, sweep))
    if not as_json:
        typer.echo(_found_text(found))
    count = sum(len(one.orphans) for one in found)
    if count and (yes or (not as_json and _agrees(count))):
        found = [waited(delete_orphans(settings, one)) for one in found]
        if not as_json:
            typer.echo(_outcome_text(found))
    if as_json:
        print_json(_as_json(found))
    is_unclear = any(one.left or one.trouble for one in found)
    return Exit.UNFINISHED if is_unclear else Exit.OK


def _agrees(count: int) -> bool:
    if not sys.stdin.isatty():
        typer.echo("nothing was deleted: give --yes to delete them", err=True)
        return False
    return typer.confirm(f"Delete {'it' if count == 1 else f'these {count} trainings'}?")


def _found_text(found: "Sequence[Collection]") -> str:
    lines = [line for one in found for line in _lines(one)]
    return "\n".join(lines) if lines else "no orphans: every training of ours belongs to a trial"


def _lines(one: "Collection") -> list[str]:
    name = shown(one.folder.name)
    lines = [
        f"{name}: {shown(orphan.name)}  {orphan.workload_id}  {orphan.phase}  "
        f"created {orphan.created_at or 'at an unknown time'}"
        for orphan in one.orphans
    ]
    if one.trouble:
        lines.append(f"{name}: could not be looked through: {shown(one.trouble)}")
    if one.skipped:
        lines.append(f"{name}: skipped: {shown(one.skipped)}")
    return lines


def _outcome_text(found: "Sequence[Collection]") -> str:
    lines = [
        f"{shown(orphan.name)}: {shown(orphan.outcome)}"
        for one in found
        for orphan in one.orphans
        if orphan.outcome
    ]
    lines += [
        f"{shown(one.folder.name)}: not deleted: {shown(one.trouble)}"
        for one in found
        if one.trouble and one.orphans
    ]
    return "\n".join(lines)


def _as_json(found: "Sequence[Collection]") -> list[dict[str, Any]]:
    return [
        {
            "sweep": one.folder.name,
            "trouble": one.trouble,
            "skipped": one.skipped,
            "left": one.left,
            "orphans": [
                {
                    "workload_id": orphan.workload_id,
                    "workload_name": orphan.name,
                    "trial": orphan.trial,
                    "attempt": orphan.attempt,
                    "phase": orphan.phase,
                    "created_at": orphan.created_at,
                    "outcome": orphan.outcome,
                }
                for orphan in one.orphans
            ],
        }
        for one in found
    ]
