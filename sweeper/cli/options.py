"""Flags that several verbs share, and what the verbs have in common."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar

import typer

T = TypeVar("T")

Sweep: TypeAlias = Annotated[
    str, typer.Argument(metavar="SWEEP", help="A sweep's name, or the path of its file.")
]
SweepFilePath: TypeAlias = Annotated[
    Path, typer.Argument(metavar="FILE", help="The sweep file.", show_default=False)
]
SweepFilePaths: TypeAlias = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="Sweep files.", show_default=False)
]
SweepName: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--name",
        metavar="NAME",
        help="The sweep's name, in place of the file's: nightly-2026-11-25 on the day after.",
    ),
]
StateDir: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--state-dir", metavar="DIR", help="Where sweeps are kept (SWEEPER_STATE_DIR, else XDG)."
    ),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Strict: TypeAlias = Annotated[
    bool, typer.Option("--strict", help="Refuse what W&B only warns about.")
]
Local: TypeAlias = Annotated[
    bool, typer.Option("--local", help="Run on this machine, whatever `training` says.")
]
AllowPrivileged: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--allow-privileged-spec", help="Let the spec ask for host paths, uid 0 and the like."
    ),
]
ApiVersion: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--api-version",
        metavar="2.22",
        help="The control plane's version (default 2.21): what came later passes with it.",
    ),
]
TrialNumber: TypeAlias = Annotated[
    int | None, typer.Option("--trial", metavar="N", min=0, help="Only this trial.")
]


def print_json(value: object) -> None:
    """Print one JSON value on a line of its own."""
    # ASCII only: even a lone surrogate can be printed, and nothing moves a cursor.
    typer.echo(json.dumps(value))


def waited(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in an event loop of its own."""
    return asyncio.run(coroutine)


def asked(
    sweep: str,
    verb: str,
    state_dir: Path | None,
    question: "Callable[[Any], Awaitable[T]]",
) -> T:
    """Put a question to whatever answers for a sweep (`bootstrap.verbs.Verbs`)."""
    from sweeper.bootstrap.verbs import open_verbs

    settings = loaded(state_dir=state_dir)

    async def ask() -> T:
        async with open_verbs(settings, sweep, verb) as verbs:
            return await question(verbs)

    return waited(ask())


def loaded(**flags: object) -> Any:
    """Return the settings with these flags; None means that a flag was not given."""
    from sweeper.settings import load_settings

    given: Mapping[str, object] = flags
    return load_settings(given)
