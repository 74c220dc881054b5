"""`sweeper plan`: what a sweep file means, with nothing sent and nothing started."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sweeper.cli.exits import Exit
from sweeper.cli.options import (
    AllowPrivileged,
    ApiVersion,
    AsJson,
    Local,
    Strict,
    SweepFilePaths,
    loaded,
    print_json,
)


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("plan")(plan)


def plan(
    files: SweepFilePaths,
    as_json: AsJson = False,
    strict: Strict = False,
    local: Local = False,
    allow_privileged_spec: AllowPrivileged = None,
    api_version: ApiVersion = None,
    trial_duration: Annotated[
        str | None,
        typer.Option(
            "--trial-duration",
            metavar="10m",
            help="Say what the sweep takes if every trial takes that long: wall clock within the "
            "file's limits, GPU-hours, API calls.",
        ),
    ] = None,
) -> int:
    """Show what sweep files mean: how many trials, the first ones, their command lines.

    Nothing is sent, started or looked up. With --json, one object a line for each file.
    """
    from sweeper.bootstrap.planning import plan_file
    from sweeper.bootstrap.reading import read_duration

    settings = loaded(allow_privileged_spec=allow_privileged_spec, api_version=api_version)
    length = None if trial_duration is None else read_duration(trial_duration, "--trial-duration")
    code = Exit.OK
    for file in files:
        planned = plan_file(Path(file), settings, strict=strict, local=local, trial_duration=length)
        if as_json:
            print_json(planned)
        else:
            _show(planned)
        if "errors" in planned:
            code = Exit.USAGE
    return code


def _show(planned: dict[str, Any]) -> None:
    from sweeper.bootstrap.planning import plan_text

    text = plan_text(planned)
    typer.echo(text, err="errors" in planned)
