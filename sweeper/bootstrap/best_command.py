"""The command line of a sweep's best trial, as its training was started."""

import json
import shlex
from collections.abc import Mapping
from typing import Any, cast

from sweeper.bootstrap.attempts import rehearsal
from sweeper.clock import utc_now
from sweeper.domain.rendering import render
from sweeper.domain.values import Params, freeze
from sweeper.domain.wording import printable
from sweeper.errors import DaemonGoneError, RenderingError, SweepFileError
from sweeper.sweepfile.reading import ReadingContext, parse_sweep
from sweeper.web.client import VerbsClient


async def best_command(client: VerbsClient) -> str:
    """Return which trial is the best, and its command line where it can be told; "" without one.

    Values of secret variables in it stand as `***`.
    """
    best = await client.best_results(1)
    if not best:
        return ""
    row, sweep = best[0], (await client.sweep())["sweep"]
    head = f"best: trial {row['trial']}, {sweep['objective']['name']} {row['objective']:g}"
    try:
        argv = _argv(await client.definition(), sweep["name"], row)
    except DaemonGoneError:
        argv = None  # a daemon of an earlier version does not tell what it was started with
    lines = [head] if argv is None else [head, f"  {shlex.join(argv)}"]
    return "\n".join(map(printable, lines))


def _argv(
    definition: Mapping[str, Any], name: str, row: Mapping[str, Any]
) -> tuple[str, ...] | None:
    """Return the words that trial started, None where the file cannot be read as it was."""
    context = ReadingContext(
        today=utc_now().date(), default_active_local=1, name=name, allow_privileged=True
    )
    try:
        spec = parse_sweep(json.dumps(definition), name, context).spec
        around = rehearsal(spec, is_local=spec.training is None)
        params = cast(Params, freeze(row["params"]))
        return render(spec, around, row["trial"], row["attempts"], params).argv
    except (SweepFileError, RenderingError):
        return None
