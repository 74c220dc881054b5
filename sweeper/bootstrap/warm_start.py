"""What a model learns from before the first trial: results of other sweeps (`search.warm_start`).

They are gathered at the first start and kept beside the store, so that a model that is made anew
has learned the same, whatever became of the other sweeps.
"""

import json
import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from sweeper.bootstrap.folders import SweepFolder, write_durably
from sweeper.bootstrap.verbs import open_verbs
from sweeper.domain.result import Outcome, Result
from sweeper.domain.sweep import SweepSpec
from sweeper.domain.values import Params, freeze
from sweeper.errors import SettingsError
from sweeper.settings import Settings

_log = logging.getLogger(__name__)

LARGEST_FILE = 64 * 2**20
_OUTCOMES = {"completed": Outcome.COMPLETED, "pruned": Outcome.PRUNED}


async def learned_before(
    spec: SweepSpec, folder: SweepFolder, settings: Settings
) -> tuple[Result, ...]:
    """Return the results that the model of a sweep learns from first, in a settled order.

    Raises:
        SettingsError: a sweep or a file that the sweep file names cannot be learned from.
        SweepOwnedError, StoreError: as `open_verbs` raises them.
    """
    named = spec.search.warm_start if spec.search is not None else ()
    if not named:
        return ()
    kept = folder.path / "prior.json"
    if not kept.exists():
        rows: list[Mapping[str, Any]] = []
        for name in named:
            rows += await _rows(name, spec, folder, settings)
        write_durably(kept, json.dumps(rows))
        _log.info("The model learns from %s results of %s first", len(rows), ", ".join(named))
    return tuple(_results(json.loads(kept.read_text(encoding="utf-8"))))


async def _rows(
    name: str, spec: SweepSpec, folder: SweepFolder, settings: Settings
) -> Sequence[Mapping[str, Any]]:
    if name.endswith(".json"):
        return list(_telling(_read(Path(name)), name))
    if name == folder.name:
        raise SettingsError(f"search.warm_start: {name} is this sweep itself: name another")
    async with open_verbs(settings, name, "warm start") as verbs:
        view = await verbs.client.sweep()
        objective, own = view["sweep"]["objective"] or {}, spec.objective
        if own is None or objective.get("name") != own.name:
            raise SettingsError(
                f"search.warm_start: sweep {name} has the objective {objective.get('name')}, this "
                f"one {own.name if own else None}: name one of the same"
            )
        rows = [row async for row in verbs.client.all_results()]
    return list(_telling(rows, name))


def _read(file: Path) -> object:
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise SettingsError(f"search.warm_start: {file} is larger than 64 MiB")
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"search.warm_start: {file}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(
            f"search.warm_start: {file} is no JSON: write one with `sweeper results --json`"
        ) from error


def _telling(rows: object, name: str) -> Iterator[Mapping[str, Any]]:
    """Yield of each row what a model is told, of those that tell anything."""
    if not isinstance(rows, list):
        raise SettingsError(
            f"search.warm_start: {name} holds no list: write it with `sweeper results --json`"
        )
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("params"), dict):
            raise SettingsError(f"search.warm_start: {name} holds a row without params")
        value = row.get("objective")
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if row.get("state") in _OUTCOMES and is_number and math.isfinite(cast(float, value)):
            yield {key: row[key] for key in ("params", "state", "objective")}


def _results(rows: Iterable[Mapping[str, Any]]) -> Iterator[Result]:
    for number, row in enumerate(rows):
        yield Result(
            number=number,
            params=cast(Params, freeze(row["params"])),
            outcome=_OUTCOMES[row["state"]],
            value=float(row["objective"]),
            reports=1,
        )
