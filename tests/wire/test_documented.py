"""Every field that is sent is documented, with its unit and its range where it has one."""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from sweeper.wire.scalars import AMOUNT_PATTERN, SentModel
from sweeper.wire.training import TrainingCreationRequest
from tests.wire.contract import flat, leaves


def _models() -> list[type[SentModel]]:
    """Return every model of what is sent, once."""
    ahead, found = [SentModel], []
    while ahead:
        ahead += ahead.pop(0).__subclasses__()
        found += [one for one in ahead if one not in found]
    return found


def _docstrings(model: type[SentModel]) -> Mapping[str, str]:
    """Return the docstrings of the fields that a model itself declares, by field."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for field, after in zip(body.body, [*body.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            found[field.target.id] = _text(after)
    return found


def _text(node: ast.stmt | None) -> str:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return str(node.value.value) if is_text else ""  # type: ignore[union-attr] # checked before


def _fields() -> Iterator[tuple[type[SentModel], str, str]]:
    for model in _models():
        for name, words in _docstrings(model).items():
            yield model, name, words


FIELDS = list(_fields())


def _said(model: type[SentModel], name: str) -> dict[str, Any]:
    """Return what the contract's form of the model says of a field."""
    schema = model.model_json_schema()
    found = dict(leaves(flat(schema, schema.get("$defs", {}))))
    return found[model.model_fields[name].alias or name]


def _owed(name: str, said: Mapping[str, Any]) -> Iterator[str]:
    """Yield the words that the docstring of such a field owes its reader."""
    if name.endswith("_seconds"):
        yield "econds"
    if said["maxLength"] is not None:
        yield str(said["maxLength"])
    if said["pattern"] == AMOUNT_PATTERN:
        yield "10Gi"
    if said["minimum"] in {0, 1}:
        least, most = said["minimum"], said["maximum"]
        yield f"{least} to {most}" if most == 65535 else f"{least} or more"


def test_every_model_of_a_create_is_looked_at() -> None:
    assert TrainingCreationRequest in _models()
    assert len(FIELDS) > 120


@pytest.mark.parametrize(
    ("model", "name", "words"), FIELDS, ids=[f"{one[0].__name__}.{one[1]}" for one in FIELDS]
)
def test_a_field_says_what_it_is_in_which_unit_and_range(
    model: type[SentModel], name: str, words: str
) -> None:
    assert words.strip().endswith("."), "a sentence"
    assert [owed for owed in _owed(name, _said(model, name)) if owed not in words] == []
