"""The JSON Schema of a sweep file, for editors."""

from collections.abc import Mapping
from typing import Any

from sweeper.sweepfile.document import Document

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> Mapping[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a sweep file, with a description of every key.

    What it refuses is always refused; what it takes may still be refused by a rule that spans
    several keys. Unknown keys at the top pass, as they do when a file is read.
    """
    schema = Document.model_json_schema()
    return {"$schema": _DIALECT, **_tidied(schema)}


def _tidied(value: Any) -> Any:
    """Return a schema without the titles that pydantic makes up, each description on one line."""
    if isinstance(value, list):
        return [_tidied(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: " ".join(item.split())
        if key == "description" and isinstance(item, str)
        else _tidied(item)
        for key, item in value.items()
        if not (key == "title" and isinstance(item, str))
    }
