"""Write what a sweep reached as a study of Optuna."""

import asyncio
import json
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from sweeper.domain.parameters import SearchSpace
from sweeper.errors import MissingExtraError, SettingsError
from sweeper.exports.cells import visible
from sweeper.sweepfile.findings import Findings
from sweeper.sweepfile.loading import load
from sweeper.sweepfile.parameters import read_space
from sweeper.web.client import VerbsClient


async def export_study(client: VerbsClient, url: str) -> str:
    """Write a study into the database at `url` and return what to say of it.

    It has the sweep's name, and replaces what an earlier export of the same sweep left.

    Raises:
        SettingsError: the sweep has no objective, or the database cannot be used.
        MissingExtraError: Optuna is not installed.
    """
    if find_spec("optuna") is None:
        raise MissingExtraError("a study of Optuna", "search")
    from sweeper.exports.optuna_study import trials_of, write_study

    sweep = (await client.sweep())["sweep"]
    objective = sweep["objective"]
    if objective is None:
        raise SettingsError("a study of Optuna needs an objective, and the sweep names no metric")
    rows = [row async for row in client.all_results()]
    curves = {row["trial"]: await _curve(client, row["trial"]) for row in rows}
    space = _space(await client.definition())

    def write() -> None:
        trials = trials_of(rows, curves, objective["name"], space)
        write_study(url, sweep["name"], sweep["id"], objective["goal"], trials)

    await asyncio.to_thread(write)
    return f"wrote the study {visible(sweep['name'])}, {len(rows)} trials"


async def _curve(client: VerbsClient, trial: int) -> Sequence[dict[str, Any]]:
    points: Sequence[dict[str, Any]] = (await client.curve(trial))["points"]
    return points


def _space(definition: dict[str, Any]) -> SearchSpace:
    """Return the parameters of the file that the sweep was started with, as far as they are."""
    root = load(json.dumps(definition)).root
    node = root.members.get("parameters")
    return read_space(Findings(root), ("parameters",), node) if node is not None else SearchSpace()
