"""The JSON Schema of a sweep file, for editors."""

from collections.abc import Mapping
from typing import Any


def json_schema() -> Mapping[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a sweep file, with a description of every key."""
    raise NotImplementedError
