"""The command `sweeper`: its verbs, and the one place where errors become exit codes."""

import errno
import sys
from collections.abc import Sequence

import typer

from sweeper.cli import (
    adopt,
    enqueue,
    events,
    gc,
    health,
    local,
    logs,
    ls,
    notify,
    plan,
    probe,
    rebuild,
    results,
    run,
    schema,
    show,
    status,
    steering,
    validate,
)
from sweeper.cli.exits import Exit, exit_of
from sweeper.errors import SettingsError, SweeperError

app = typer.Typer(
    name="sweeper",
    help=(
        "Run a sweep of trainings on Run:ai, or on this machine, and lose none of them.\n\n"
        "Exit codes: 0 all well; 1 a trial failed or is held, or the sweep was cancelled or "
        "stopped; 2 usage, file or settings; 3 --max-runtime passed; 4 another daemon owns the "
        "sweep; 70 internal fault; 71 stuck; 130 and 143 on SIGINT and SIGTERM."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for verb in (run, plan, validate, probe, status, ls, show, logs, events, results, health, schema):
    verb.add_to(app)
steering.add_to(app)
for tool in (adopt, enqueue, gc, notify, rebuild):
    tool.add_to(app)
local.add_to(app)

_DISK_ERRORS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.ENODEV}
)
"""What a disk says that is full, fails or was taken away: no fault of ours."""

_SECRET_FLAGS = ("--client-secret", "--secret", "--token", "--password", "--api-key")
_MAY_HOLD_SECRETS = ["local", "serve"]
"""The verb whose credentials are those of a test double, and guard nothing else."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command line and leave the process with its exit code."""
    sys.exit(run_command(list(sys.argv[1:] if arguments is None else arguments)))


def run_command(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; errors are told on stderr."""
    try:
        _refuse_secrets(arguments)
        return _invoke(arguments)
    except SweeperError as error:
        _tell(str(error), arguments)
        return exit_of(error)
    except KeyboardInterrupt:
        return Exit.SIGINT
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain at exit either.
        sys.stdout = None
        return Exit.OK
    except OSError as error:
        if error.errno not in _DISK_ERRORS:
            return _internal_fault(error, arguments)
        sys.stdout = None
        where = f"{error.filename}: " if error.filename else "the output: "
        advice = "make room or look at the disk, then do this again"
        _tell(f"{where}{error.strerror}: {advice}", arguments)
        return Exit.INTERNAL
    except Exception as error:  # noqa: BLE001 - the last line of defence: say it, exit 70
        return _internal_fault(error, arguments)


def _invoke(arguments: Sequence[str]) -> int:
    try:
        outcome = app(list(arguments), prog_name="sweeper", standalone_mode=False)
    except typer.TyperException as error:
        show = getattr(error, "show", None)
        if show is None:
            typer.echo(f"sweeper: {error}", err=True)
        else:
            show()
        return Exit.USAGE
    except typer.Abort:
        return Exit.SIGINT
    return outcome if isinstance(outcome, int) else Exit.OK


def _refuse_secrets(arguments: Sequence[str]) -> None:
    """Refuse secrets in argv, which every user of the machine can read; never repeat them."""
    if list(arguments[:2]) == _MAY_HOLD_SECRETS:
        return
    for argument in arguments:
        flag = argument.split("=", 1)[0]
        if flag in _SECRET_FLAGS:
            raise SettingsError(
                f"{flag}: a secret on the command line can be read by every user of this machine: "
                "put it into RUNAI_CLIENT_SECRET, or a file that RUNAI_CLIENT_SECRET_FILE names"
            )


def _tell(text: str, arguments: Sequence[str]) -> None:
    from sweeper.bootstrap.console import asks_for_json, log_end

    if asks_for_json(arguments):
        log_end(text)
    else:
        typer.echo(f"sweeper: {text}", err=True)


def _internal_fault(error: Exception, arguments: Sequence[str]) -> int:
    from sweeper.bootstrap.console import log_fault

    log_fault(error, arguments)
    return Exit.INTERNAL
