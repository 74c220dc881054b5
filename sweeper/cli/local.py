"""`sweeper local serve`: a Run:ai API on this machine."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sweeper.cli.options import AsJson, loaded, print_json, waited

if TYPE_CHECKING:
    from sweeper.bootstrap.serving_local import Serving

GROUP = "local"


class RuntimeKind(StrEnum):
    """What becomes of trainings."""

    PROCESS = "process"
    SIMULATED = "simulated"


class Duplicates(StrEnum):
    """The status of a create whose name is taken."""

    BAD_REQUEST = "400"
    CONFLICT = "409"


class Illegal(StrEnum):
    """What is answered to a command that makes no sense in the training's phase."""

    ACCEPTED = "202"
    BAD_REQUEST = "400"


class TokenCalls(StrEnum):
    """Which versions of the token call there are."""

    BOTH = "both"
    V1 = "v1"
    V2 = "v2"


def add_to(app: typer.Typer) -> None:
    """Add the group and its verb."""
    group = typer.Typer(
        name=GROUP,
        help="A Run:ai API on this machine, to try things on and to test software against.",
        no_args_is_help=True,
    )
    group.callback()(_group)
    group.command("serve")(serve)
    app.add_typer(group)


def _group() -> None:
    """A group of one verb must not become that verb."""


def serve(
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="Where; port 0 takes a free one.")
    ] = "127.0.0.1:8080",
    client_id: Annotated[
        str | None, typer.Option("--client-id", metavar="ID", help="The id of its client.")
    ] = None,
    client_secret: Annotated[
        str | None,
        typer.Option("--client-secret", metavar="SECRET", help="The client's secret."),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option("--token", metavar="TOKEN", help="A bearer token that is always good."),
    ] = None,
    gpus: Annotated[
        int | None,
        typer.Option("--gpus", metavar="N", min=0, help="GPUs; else those that this machine has."),
    ] = None,
    cpus: Annotated[
        str | None, typer.Option("--cpus", metavar="N", help="Cores to hand out; else no bound.")
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option("--memory", metavar="SIZE", help="Memory to hand out, such as 64G."),
    ] = None,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Which control plane of this machine.")
    ] = "default",
    state_dir: Annotated[
        Path | None,
        typer.Option("--state-dir", metavar="DIR", help="Its state, instead of by --name."),
    ] = None,
    runtime: Annotated[
        RuntimeKind, typer.Option("--runtime", help="Start processes, or only act as if.")
    ] = RuntimeKind.PROCESS,
    simulation: Annotated[
        Path | None,
        typer.Option("--simulation", metavar="FILE", help="How simulated trainings go (YAML)."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="Nodes, projects and quotas (YAML)."),
    ] = None,
    faults: Annotated[
        Path | None, typer.Option("--faults", metavar="FILE", help="What goes wrong (YAML).")
    ] = None,
    admin: Annotated[
        bool, typer.Option("--admin", help="Let clients change what goes wrong, below /admin.")
    ] = False,
    duplicates: Annotated[
        Duplicates, typer.Option("--duplicates", help="Status of a create whose name is taken.")
    ] = Duplicates.BAD_REQUEST,
    illegal: Annotated[
        Illegal, typer.Option("--illegal", help="Status of a command that makes no sense.")
    ] = Illegal.ACCEPTED,
    only_contract: Annotated[
        bool, typer.Option("--only-contract", help="Offer tokens and the five operations alone.")
    ] = False,
    token_calls: Annotated[
        TokenCalls, typer.Option("--token-calls", help="Which token calls there are.")
    ] = TokenCalls.BOTH,
    token_seconds: Annotated[
        int, typer.Option("--token-seconds", metavar="N", min=1, help="How long a token is good.")
    ] = 3600,
    any_name: Annotated[
        bool, typer.Option("--any-name", help="Take names that only the contract allows.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Serve the Trainings API on this machine until SIGTERM or SIGINT.

    Trainings run as processes. What runs goes on when the server ends, or is killed; the next
    one takes it up. Prints what a client puts into its environment.
    """
    from sweeper.bootstrap.serving_local import ServeOptions, serve_local, switches_of

    options = ServeOptions(
        settings=loaded(),
        listen=listen,
        name=name,
        directory=state_dir,
        gpus=gpus,
        cores=cpus,
        memory=memory,
        client_id=client_id,
        client_secret=client_secret,
        token=token,
        is_simulated=runtime is RuntimeKind.SIMULATED,
        simulation=simulation,
        config=config,
        faults=faults,
        has_admin=admin,
        switches=switches_of(
            has_conflicts=duplicates is Duplicates.CONFLICT,
            refuses_illegal=illegal is Illegal.BAD_REQUEST,
            has_wider_api=not only_contract,
            token_calls=token_calls.value,
            token_seconds=token_seconds,
            hold_names=not any_name,
        ),
    )

    def announce(serving: "Serving") -> None:
        if as_json:
            print_json(serving.document())
        else:
            for line in serving.lines():
                typer.echo(line)

    return waited(serve_local(options, announce))
