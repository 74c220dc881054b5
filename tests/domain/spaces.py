"""Search spaces from W&B's own words, and the values that W&B's package was seen to give."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from sweeper.domain.parameters import Parameter, SearchSpace
from sweeper.domain.values import JsonValue, plain

_KINDS: Mapping[str, type] = {kind.distribution: kind for kind in get_args(Parameter)}


def recorded(name: str) -> list[dict[str, Any]]:
    """Return what was recorded of `sweeps` 0.3.0 and the agent of wandb 0.31.0."""
    file = Path(__file__).parents[1] / "data" / "wandb" / f"{name}.json"
    rows: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return rows


def parameter_of(given: Mapping[str, Any]) -> Parameter:
    """Return the parameter of one W&B mapping, which may leave out its distribution."""
    bounds = {key: value for key, value in given.items() if key != "distribution"}
    kind = given.get("distribution")
    if kind is None:
        first = next(iter(given))
        kind = {"value": "constant", "values": "categorical"}.get(first, "int_uniform")
    parameter: Parameter = _KINDS[kind](**bounds)
    return parameter


def space_of(parameters: Mapping[str, Any]) -> SearchSpace:
    """Return the search space of W&B's `parameters`."""
    return SearchSpace(
        parameters={
            name: space_of(given["parameters"]) if "parameters" in given else parameter_of(given)
            for name, given in parameters.items()
        }
    )


def exact(value: JsonValue) -> str:
    """Return a text that tells 1, 1.0 and True apart."""
    return json.dumps(plain(value), sort_keys=True)
