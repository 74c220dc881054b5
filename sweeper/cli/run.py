"""`sweeper run`: the daemon."""

from pathlib import Path
from typing import Annotated

import typer

from sweeper.cli.options import (
    AllowPrivileged,
    ApiVersion,
    AsJson,
    Local,
    StateDir,
    Strict,
    SweepFilePath,
    loaded,
    waited,
)


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("run")(run)


def run(
    file: SweepFilePath,
    local: Local = False,
    strict: Strict = False,
    max_runtime: Annotated[
        str | None,
        typer.Option(
            "--max-runtime", metavar="7h", help="Stop then, with exit code 3 if work is left."
        ),
    ] = None,
    state_dir: StateDir = None,
    listen: Annotated[
        str | None,
        typer.Option(
            "--listen",
            metavar="HOST:PORT",
            help="Where /metrics, /healthz and /readyz are served (default 127.0.0.1:9464; "
            "port 0 takes a free one).",
        ),
    ] = None,
    report_listen: Annotated[
        str | None,
        typer.Option(
            "--report-listen", metavar="HOST:PORT", help="Where trainings' reports are taken."
        ),
    ] = None,
    report_url: Annotated[
        str | None,
        typer.Option(
            "--report-url", metavar="URL", help="The address of that for trainings on Run:ai."
        ),
    ] = None,
    gpus: Annotated[
        int | None,
        typer.Option("--gpus", metavar="N", min=0, help="GPUs of this machine (default: NVML's)."),
    ] = None,
    quarantine: Annotated[
        float | None,
        typer.Option(
            "--quarantine",
            metavar="SECONDS",
            help="How long a create whose answer was lost is looked up before it is repeated.",
        ),
    ] = None,
    allow_privileged_spec: AllowPrivileged = None,
    api_version: ApiVersion = None,
    log_format: Annotated[
        str | None, typer.Option("--log-format", metavar="text|json", help="How lines look.")
    ] = None,
    log_level: Annotated[
        str | None,
        typer.Option("--log-level", metavar="LEVEL", help="debug, info, warning, error."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Run a sweep to its end; killed or stopped, the same command goes on.

    Without a `training` section it runs on this machine, with one on Run:ai (RUNAI_BASE_URL,
    RUNAI_CLIENT_ID, RUNAI_CLIENT_SECRET, RUNAI_PROJECT). Ctrl-C and SIGTERM stop the daemon and
    leave the trainings alone. Results go to stdout, everything else to stderr.
    """
    from sweeper.bootstrap.running import RunOptions, run_sweep

    settings = loaded(
        state_dir=state_dir,
        listen=listen,
        report_listen=report_listen,
        report_url=report_url,
        gpus=gpus,
        quarantine=quarantine,
        allow_privileged_spec=allow_privileged_spec,
        api_version=api_version,
        log_format=log_format,
        log_level=log_level,
    )
    options = RunOptions(
        file=Path(file),
        settings=settings,
        local=local,
        strict=strict,
        max_runtime=max_runtime,
        as_json=as_json,
    )
    return waited(run_sweep(options))
