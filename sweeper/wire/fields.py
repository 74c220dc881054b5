"""Which fields the contract knows where, and what was meant by one that it does not know."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from sweeper.wire.issues import Path
from sweeper.wire.training import TrainingSpec

_MAX_LENGTH = 100
_MIN_LIKENESS = 0.75


@cache
def fields_of(model: type[BaseModel]) -> Mapping[str, Sequence[str]]:
    """Return the names in `model` and in all objects below it, by place.

    The place of the model itself is "", others are written as in `storage.pvc[].claimInfo`.
    """
    return MappingProxyType(dict(_walk(model, "")))


def suggestion(path: Path, model: type[BaseModel]) -> str:
    """Return what to do about the unknown field at `path` in `model`, "" when nobody knows."""
    key = str(path[-1])
    if len(key) > _MAX_LENGTH:
        return ""
    near = nearest(key, fields_of(model).get(place_of(path[:-1]), ()))
    if near:
        return f"did you mean {near}?"
    # Of the items of a list nobody knows which one is meant.
    places = fields_of(TrainingSpec).items()
    homes = [place for place, names in places if key in names and "[]" not in place]
    return f"move it to {homes[0] or 'spec'}" if len(homes) == 1 else ""


def nearest(word: str, words: Sequence[str]) -> str:
    """Return which of `words` was probably meant by `word`, "" when none comes near."""
    spelt = {each.lower(): each for each in words}
    found = difflib.get_close_matches(word.lower(), spelt, n=1, cutoff=_MIN_LIKENESS)
    return spelt[found[0]] if found else ""


def place_of(path: Path) -> str:
    """Return where `path` leads, whichever items of lists it goes through: `ports[].name`."""
    text = ""
    for part in path:
        text += "[]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _walk(model: type[BaseModel], place: str) -> Iterator[tuple[str, Sequence[str]]]:
    names = {field.alias or name: field for name, field in model.model_fields.items()}
    yield place, tuple(names)
    for name, field in names.items():
        step = f"{place}.{name}" if place else name
        for inner, suffix in _models_in(field.annotation):
            yield from _walk(inner, step + suffix)


def _models_in(annotation: Any) -> Iterator[tuple[type[BaseModel], str]]:
    """Yield the models that a field's values are of, with "[]" where they stand in lists."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, ""
        return
    suffix = "[]" if get_origin(annotation) is list else ""
    for part in get_args(annotation):
        for inner, deeper in _models_in(part):
            yield inner, suffix + deeper
