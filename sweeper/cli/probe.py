"""`sweeper probe`: a first look at a control plane, before any sweep."""

from typing import Annotated

import typer

from sweeper.cli.options import AsJson, StateDir, loaded, print_json, waited
from sweeper.cli.words import shown


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("probe")(probe)


def probe(
    project: Annotated[
        str | None,
        typer.Option("--project", metavar="NAME", help="Project, by name or id (RUNAI_PROJECT)."),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="NAME",
            help="Cluster, by name or id (RUNAI_CLUSTER, else the project's own).",
        ),
    ] = None,
    image: Annotated[
        str,
        typer.Option("--image", help="An image with `sleep` in it that the cluster can pull."),
    ] = "busybox",
    local: Annotated[
        bool, typer.Option("--local", help="Probe the local control plane, as an exercise.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the training there, to look at.")
    ] = False,
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> int:
    """Check a control plane with one tiny training, and write down how it behaves.

    Gets a token, finds project and cluster, creates a training (twice under one name), looks it
    up, suspends, resumes and deletes it. Takes away what it made, on Ctrl-C too, and touches
    nothing else. Tells what is missing and whom to ask for it; `run` heeds what was found.
    Exits with 0 if all is well, with 1 if something is missing, with 2 on settings.
    """
    from sweeper.bootstrap.probe_plane import ProbeOptions, probe_plane

    options = ProbeOptions(
        settings=loaded(state_dir=state_dir),
        local=local,
        project=project,
        cluster=cluster,
        image=image,
        keep=keep,
    )
    report = waited(probe_plane(options, _say_nothing if as_json else _say))
    if as_json:
        print_json(report.found)
    elif report.closing:
        typer.echo(report.closing)
    return report.code


def _say(line: str) -> None:
    typer.echo(shown(line))


def _say_nothing(_line: str) -> None:
    """Keep stdout for the one JSON object."""
