"""Small YAML files of the control plane: what is read, and how faults are told."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import ConfigDict, TypeAdapter, with_config

from sweeper.local.yaml_files import MAX_BYTES, PlaneFileError, parse_yaml, read_yaml_file


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    name: str
    gpus: int = 0


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Pools:
    pools: tuple[Pool, ...] = ()


SHAPE = TypeAdapter(Pools)


def test_a_file_is_read_into_its_shape(tmp_path: Path) -> None:
    path = tmp_path / "local.yaml"
    path.write_text("pools:\n- {name: a, gpus: 2}\n- name: 2026-01-01\n")

    found = read_yaml_file(path, SHAPE)

    assert found == Pools(pools=(Pool(name="a", gpus=2), Pool(name="2026-01-01")))


def test_an_empty_file_has_the_defaults() -> None:
    assert parse_yaml(b"# nothing\n", "local.yaml", SHAPE) == Pools()


def test_every_fault_is_told_with_its_place() -> None:
    text = b"pools:\n- name: a\n  gpus: many\n- gpu: 1\n"

    with pytest.raises(PlaneFileError) as error:
        parse_yaml(text, "local.yaml", SHAPE)

    first, *others = str(error.value).splitlines()
    assert first.startswith('local.yaml:3:3: pools[0].gpus: "many": ')
    assert any(line == "local.yaml:4:3: pools[1]: name is missing" for line in others)
    assert any("pools[1].gpu: " in line for line in others)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"a: &x [1]\nb: *x\n", id="alias"),
        pytest.param(b"[" * 100_000, id="nesting"),
        pytest.param(b"{a: 1", id="cut"),
        pytest.param(b"\xff\xfe\xfa", id="not UTF-8"),
        pytest.param(b"a: 1\n---\nb: 2\n", id="two documents"),
        pytest.param(b"a: 1\na: 2\n", id="twice"),
        pytest.param(b"? [a]\n: 1\n", id="key"),
        pytest.param(b"- 1\n", id="list"),
        pytest.param(b"a: \x00\n", id="NUL"),
        pytest.param(b"a: !!python/object:os.system x\n", id="tag"),
        pytest.param(b"a: !!int x\n", id="no number"),
        pytest.param(b"x" * (MAX_BYTES + 1), id="size"),
    ],
)
def test_hostile_text_is_a_fault_of_the_file(content: bytes) -> None:
    with pytest.raises(PlaneFileError, match=r"^local\.yaml"):
        parse_yaml(content, "local.yaml", SHAPE)


def test_a_key_that_is_told_moves_no_cursor() -> None:
    with pytest.raises(PlaneFileError) as raised:
        parse_yaml("pools:\n- {name: a, \u061cgpus: 1}\n".encode(), "local.yaml", SHAPE)

    assert r"pools[0].\u061cgpus" in str(raised.value)
    assert str(raised.value).isprintable()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlaneFileError, match="No such file"):
        read_yaml_file(tmp_path / "none.yaml", SHAPE)
