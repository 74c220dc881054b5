"""What a daemon and the process that suggests say to each other: a JSON object on each line.

The daemon says `{"order": ...}` once, then `{"tell": [...], "ask": number}` for each suggestion,
and is answered `{"params": {...}}` or `{"error": "..."}`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast, get_args

from sweeper.domain.constraints import Constraint
from sweeper.domain.parameters import Parameter, SearchSpace
from sweeper.domain.result import Outcome, Result
from sweeper.domain.rules import Condition, Rules
from sweeper.domain.search import SamplerName
from sweeper.domain.sweep import Goal
from sweeper.domain.values import JsonValue, Params, freeze, plain
from sweeper.search.order import Order

_KINDS: Mapping[str, Any] = {kind.distribution: kind for kind in get_args(Parameter)}


def order_json(order: Order) -> Mapping[str, Any]:
    """Return an order as `read_order` reads it."""
    return {
        "sampler": order.sampler,
        "seed": order.seed,
        "goal": order.goal,
        "space": _space_json(order.space),
        "groups": [list(group) for group in order.groups],
        "options": plain(order.options),
        "when": plain({name: {**one} for name, one in order.rules.when.items()}),
        "constraints": [constraint.text for constraint in order.rules.constraints],
        "prior": [result_json(result) for result in order.prior],
    }


def read_order(given: Mapping[str, Any]) -> Order:
    """Return the order that `order_json` made this of."""
    return Order(
        sampler=SamplerName(given["sampler"]),
        seed=given["seed"],
        goal=Goal(given["goal"]),
        space=_read_space(given["space"]),
        groups=tuple(map(tuple, given["groups"])),
        options=given["options"],
        rules=_read_rules(given),
        prior=tuple(map(read_result, given["prior"])),
    )


def result_json(result: Result) -> Mapping[str, Any]:
    """Return a result as `read_result` reads it."""
    return {
        "number": result.number,
        "params": plain(result.params),
        "outcome": result.outcome,
        "value": result.value,
        "reports": result.reports,
    }


def read_result(given: Mapping[str, Any]) -> Result:
    """Return the result that `result_json` made this of."""
    params = cast(Params, freeze(given["params"]))
    return Result(**{**given, "params": params, "outcome": Outcome(given["outcome"])})


def _read_rules(given: Mapping[str, Any]) -> Rules:
    return Rules(
        when=cast(Mapping[str, Condition], freeze(given["when"])),
        constraints=tuple(map(Constraint, given["constraints"])),
    )


def _space_json(space: SearchSpace) -> Sequence[Any]:
    # A list, for the order of the parameters is part of what a space is.
    return [
        [name, {"nested": _space_json(one)}]
        if isinstance(one, SearchSpace)
        else [name, {"distribution": one.distribution, **one.describe()}]
        for name, one in space.parameters.items()
    ]


def _read_space(given: Sequence[Any]) -> SearchSpace:
    return SearchSpace(parameters={name: _read_parameter(dict(one)) for name, one in given})


def _read_parameter(given: dict[str, JsonValue]) -> Any:
    if "nested" in given:
        return _read_space(cast(Sequence[Any], given["nested"]))
    return _KINDS[str(given.pop("distribution"))](**given)
