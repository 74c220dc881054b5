"""`sweeper run`: the daemon."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from sweeper.cli.options import (
    AllowPrivileged,
    ApiVersion,
    AsJson,
    Local,
    StateDir,
    Strict,
    SweepFilePath,
    SweepName,
    loaded,
    waited,
)


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("run")(run)


def run(
    file: SweepFilePath,
    name: SweepName = None,
    local: Local = False,
    strict: Strict = False,
    max_runtime: Annotated[
        str | None,
        typer.Option(
            "--max-runtime", metavar="7h", help="Stop then, with exit code 3 if work is left."
        ),
    ] = None,
    on_exit: Annotated[
        Literal["leave", "suspend", "cancel"],
        typer.Option(
            "--on-exit",
            help="What becomes of active trainings at --max-runtime: they go on, are suspended "
            "(the next start resumes them), or their trials are given up. SIGTERM leaves them.",
        ),
    ] = "leave",
    exit_zero_on_runtime: Annotated[
        bool,
        typer.Option("--exit-zero-on-runtime", help="Exit with 0 instead of 3 at --max-runtime."),
    ] = False,
    wait_for_lock: Annotated[
        str | None,
        typer.Option(
            "--wait-for-lock",
            metavar="10m",
            help="Wait so long for another daemon of this sweep to end, before exit code 4.",
        ),
    ] = None,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", help="Print nothing, unless the exit code is other than 0."),
    ] = False,
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
    linger: Annotated[
        str | None,
        typer.Option(
            "--linger",
            metavar="2m",
            help="Serve that for so long after the end, for a last scrape; SIGTERM cuts it short.",
        ),
    ] = None,
    metrics_textfile: Annotated[
        Path | None,
        typer.Option(
            "--metrics-textfile",
            metavar="FILE",
            help="Keep this sweep's metrics in FILE, for node_exporter (FILE ends in .prom).",
        ),
    ] = None,
    pushgateway: Annotated[
        str | None,
        typer.Option(
            "--pushgateway", metavar="URL", help="Push this sweep's metrics to this Pushgateway."
        ),
    ] = None,
    training_info: Annotated[
        bool | None,
        typer.Option(
            "--training-info/--no-training-info",
            help="Name active trainings in sweeper_training_info (default), or do not.",
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
    log_file: Annotated[
        Path | None,
        typer.Option(
            "--log-file", metavar="FILE", help="Log to this file, too; it is rotated at 10 MiB."
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Run a sweep to its end; killed or stopped, the same command goes on.

    Without a `training` section it runs on this machine, with one on Run:ai (RUNAI_BASE_URL,
    RUNAI_CLIENT_ID, RUNAI_CLIENT_SECRET, RUNAI_PROJECT). Ctrl-C and SIGTERM stop the daemon and
    leave the trainings alone. A sweep that is complete answers at once. Results go to stdout,
    everything else to stderr.
    """
    from sweeper.bootstrap.run_options import RunOptions
    from sweeper.bootstrap.running import run_sweep
    from sweeper.domain.leaving import OnExit

    settings = loaded(
        state_dir=state_dir,
        listen=listen,
        metrics_textfile=metrics_textfile,
        pushgateway=pushgateway,
        training_info=training_info,
        report_listen=report_listen,
        report_url=report_url,
        gpus=gpus,
        quarantine=quarantine,
        allow_privileged_spec=allow_privileged_spec,
        api_version=api_version,
        log_format=log_format,
        log_level=log_level,
        log_file=log_file,
    )
    options = RunOptions(
        file=Path(file),
        settings=settings,
        name=name,
        local=local,
        strict=strict,
        max_runtime=max_runtime,
        on_exit=OnExit(on_exit),
        exit_zero_on_runtime=exit_zero_on_runtime,
        wait_for_lock=wait_for_lock,
        quiet=quiet,
        linger=linger,
        as_json=as_json,
    )
    return waited(run_sweep(options))
