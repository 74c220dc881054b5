"""The contract as tests read it: its schemas, flattened, and the names of its fields."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

Schema = Mapping[str, Any]

_NUMBERS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
_KEPT = ("type", "format", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum")


@cache
def schemas() -> Mapping[str, Schema]:
    """Return the contract's schemas by name."""
    path = Path(__file__).parents[1] / "data" / "trainings-openapi.json"
    found: Mapping[str, Schema] = json.loads(path.read_text())["components"]["schemas"]
    return found


def field_names() -> Iterator[str]:
    """Yield each field of the contract as `Schema.property`."""
    for name, schema in schemas().items():
        yield from _names(name, schema)


def reachable(*roots: str) -> set[str]:
    """Return the schemas that can be reached from `roots`, themselves included."""
    found: set[str] = set()
    ahead = list(roots)
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += _references(schemas()[name])
    return found


def flat(schema: Schema, definitions: Mapping[str, Schema] | None = None) -> dict[str, Any]:
    """Return what a schema says in one form, whether it is the contract's or a model's.

    References, `allOf` and `anyOf` with null are resolved; `nullable` and `required` (a set) are
    always there, and integers have the bounds of their format.
    """
    known = schemas() if definitions is None else definitions
    if "$ref" in schema:
        inner = flat(known[schema["$ref"].rpartition("/")[2]], definitions)
        return {**inner, **_default(schema)}
    if "anyOf" in schema:
        (inner,) = [one for one in schema["anyOf"] if one.get("type") != "null"]
        return {**flat(inner, definitions), "nullable": True, **_default(schema)}
    parts = [flat(one, definitions) for one in schema.get("allOf", ())]
    return {
        **_scalar(schema),
        **_default(schema),
        "type": "object" if "properties" in schema or parts else schema["type"],
        "nullable": schema.get("nullable", bool(parts) and all(one["nullable"] for one in parts)),
        "required": frozenset(schema.get("required", ())).union(
            *(one["required"] for one in parts)
        ),
        "items": flat(schema["items"], definitions) if "items" in schema else None,
        "properties": {
            **{key: value for one in parts for key, value in one["properties"].items()},
            **{
                key: flat(value, definitions) for key, value in schema.get("properties", {}).items()
            },
        },
    }


def leaves(shape: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each place in a flat schema with what is said of it alone."""
    yield path, {key: shape.get(key) for key in (*_KEPT, "nullable", "required", "default")}
    for key, inner in shape["properties"].items():
        yield from leaves(inner, f"{path}.{key}" if path else key)
    if shape["items"] is not None:
        yield from leaves(shape["items"], path + "[]")


def as_json_schema(shape: Mapping[str, Any]) -> dict[str, Any]:
    """Return a flat schema as JSON Schema knows it, which has no `nullable`."""
    said = {key: shape[key] for key in _KEPT if key in shape}
    if "enum" in said:
        said["enum"] = [*said["enum"], *([None] if shape["nullable"] else [])]
    said["type"] = [shape["type"], *(["null"] if shape["nullable"] else [])]
    if shape["items"] is not None:
        said["items"] = as_json_schema(shape["items"])
    members = {key: as_json_schema(inner) for key, inner in shape["properties"].items()}
    return {**said, "properties": members, "required": sorted(shape["required"])}


def _scalar(schema: Schema) -> dict[str, Any]:
    said = {key: schema[key] for key in _KEPT if key in schema}
    if "enum" in said:
        # The shortest word bounds the length already.
        said = {"type": said["type"], "enum": frozenset(said["enum"])}
    least, most = _NUMBERS.get(said.get("format", ""), (None, None))
    if least is not None:
        said = {"minimum": least, "maximum": most} | said
    return said


def _default(schema: Schema) -> dict[str, Any]:
    # A model's None stands for what was not given, and an empty object for its own defaults.
    value = schema.get("default")
    return {} if value is None or isinstance(value, dict) else {"default": value}


def _names(prefix: str, schema: Schema) -> Iterator[str]:
    for key, inner in schema.get("properties", {}).items():
        name = f"{prefix}.{key}"
        yield name
        yield from _names(name, inner)
        yield from _names(name + "[]", inner.get("items", {}))


def _references(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        here = [value["$ref"].rpartition("/")[2]] if "$ref" in value else []
        return here + [each for inner in value.values() for each in _references(inner)]
    if isinstance(value, list):
        return [each for inner in value for each in _references(inner)]
    return []
