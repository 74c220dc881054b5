"""`sweeper validate`: every fault of sweep files, with its place and remedy."""

from pathlib import Path

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
    app.command("validate")(validate)


def validate(
    files: SweepFilePaths,
    as_json: AsJson = False,
    strict: Strict = False,
    local: Local = False,
    allow_privileged_spec: AllowPrivileged = None,
    api_version: ApiVersion = None,
) -> int:
    """Check sweep files: every fault at once, each with line, column and remedy.

    Prints one line for each file that can run, and exits with 2 if one cannot.
    """
    from sweeper.bootstrap.planning import check_file, check_text

    settings = loaded(allow_privileged_spec=allow_privileged_spec, api_version=api_version)
    code = Exit.OK
    for file in files:
        checked = check_file(Path(file), settings, strict=strict, local=local)
        if as_json:
            print_json(checked)
        else:
            typer.echo(check_text(checked), err="errors" in checked)
        if "errors" in checked:
            code = Exit.USAGE
    return code
