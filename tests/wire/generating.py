"""Bodies of a create, drawn from the contract: valid by its schema, or nearly so.

They come from seeds, since drawn member by member they would nearly all be tiny.
"""

import math
import random
from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.wire.contract import flat, schemas

AMOUNTS = ("10Gi", "10G", "1.5", "500m", "1e3", "-5G", "+1", "..", "5kk", "0")
PATHS = ("", "/", "/a/b-c_d.e")
HOSTS = ("example.com", "10.0.0.1", "a")
UUIDS = ("71f69d83-ba66-4822-adf5-55ce55efd210", "81F69D83-BA66-4822-ADF5-55CE55EFD211")
TEXTS = ("a", "b", "/a", "A=", "\x1b[2J", "é", "x\n", "💥" * 20)
ODD: tuple[Any, ...] = (
    *("1", "", 1.0, True, None, -1, 2**70, 10**400, math.nan, "x\n", "\ud800"),
    *((), {}, [None], [[]], 0.5),
)

LIGHT = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Few examples, as long as they take: the machine may be busy."""

Values = st.SearchStrategy[Any]


def json_values() -> Values:
    """Draw any JSON value, odd numbers and texts included."""
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
        max_leaves=8,
    )


def valid_bodies() -> Values:
    """Draw bodies that are valid by the contract's schema, whatever its prose says."""
    return st.integers(0, 2**32).map(lambda seed: _body(seed, oddity=0))


def near_bodies() -> Values:
    """Draw bodies with a few values of any kind and fields that are unknown; some are valid."""
    return st.integers(0, 2**32).map(lambda seed: _body(seed, oddity=0.01 * (seed % 3)))


def _body(seed: int, oddity: float) -> Any:
    rng = random.Random(seed)
    fullness = rng.choice([0.1, 0.3, 0.6, 1])
    body = _Drawing(rng, oddity, fullness).value(flat(schemas()["TrainingCreationRequest"]))
    is_named = isinstance(body, dict) and rng.random() < 0.7
    return {**body, "name": "a-training"} if is_named else body


class _Drawing:
    def __init__(self, rng: random.Random, oddity: float, fullness: float) -> None:
        self._rng, self._oddity, self._fullness = rng, oddity, fullness

    def value(self, shape: Mapping[str, Any]) -> Any:
        if self._rng.random() < self._oddity:
            return self._rng.choice(ODD)
        if shape["nullable"] and self._rng.random() < 0.1:
            return None
        match shape["type"]:
            case "object":
                return self._object(shape)
            case "array":
                return [self.value(shape["items"]) for _ in range(self._rng.randrange(3))]
            case "boolean":
                return self._rng.random() < 0.5
            case "integer":
                return self._whole(shape.get("minimum", -5), shape.get("maximum", 2**70))
            case "number":
                return self._rng.choice([0, 1, 4, 0.5, self._rng.random()])
            case _:
                return self._rng.choice(self._texts(shape))

    def _object(self, shape: Mapping[str, Any]) -> dict[str, Any]:
        members = {
            key: self.value(inner)
            for key, inner in shape["properties"].items()
            if key in shape["required"] or self._rng.random() < self._fullness
        }
        return {**members, "unknown": 1} if self._rng.random() < self._oddity else members

    def _whole(self, least: int, most: int) -> int:
        near = [n for n in (-1, 0, 1, 2, 80) if least <= n <= most]
        return self._rng.choice([*near, least, most])

    def _texts(self, shape: Mapping[str, Any]) -> tuple[str, ...]:
        if "enum" in shape:
            return tuple(sorted(shape["enum"]))
        if "pattern" in shape:
            return PATHS if "x2F" in shape["pattern"] else AMOUNTS
        formats = {"uuid": UUIDS, "hostname": HOSTS}
        if "format" in shape:
            return formats[shape["format"]]
        return TEXTS if shape.get("minLength") else (*TEXTS, "")
