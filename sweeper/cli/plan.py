"""`sweeper plan`: what a sweep file means, with nothing sent and nothing started."""

from pathlib import Path
from typing import Any

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
) -> int:
    """Show what sweep files mean: how many trials, the first ones, their command lines.

    Nothing is sent, started or looked up. With --json, one object a line for each file.
    """
    from sweeper.bootstrap.planning import plan_file

    settings = loaded(allow_privileged_spec=allow_privileged_spec, api_version=api_version)
    code = Exit.OK
    for file in files:
        planned = plan_file(Path(file), settings, strict=strict, local=local)
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
