from pathlib import Path

import pytest

from sweeper.local.runtime import StartError
from sweeper.local.sources import LARGEST, PodFields, Sources

FIELDS = PodFields(plain={"metadata.name": "one-0-1"}, labels={"a/b": "x"}, annotations={"n": ""})


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    for folder in ("secrets/db", "configmaps/db"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "KEY").write_text(folder)
    return Sources(state=tmp_path, fields=FIELDS)


@pytest.mark.parametrize(
    ("kind", "reference", "value"),
    [
        ("secret", {"name": "db", "key": "KEY"}, "secrets/db"),
        ("configMap", {"name": "db", "key": "KEY"}, "configmaps/db"),
        ("podFieldRef", {"path": "metadata.name"}, "one-0-1"),
        ("podFieldRef", {"path": "metadata.labels['a/b']"}, "x"),
        ("podFieldRef", {"path": "metadata.labels['none']"}, ""),
        ("podFieldRef", {"path": "metadata.annotations['n']"}, ""),
    ],
)
def test_each_source_has_its_values(
    sources: Sources, kind: str, reference: dict[str, str], value: str
) -> None:
    assert sources.variable(kind, reference) == value


@pytest.mark.parametrize(
    ("kind", "reference", "words"),
    [
        ("secret", {"name": "other", "key": "KEY"}, "make the folder"),
        ("secret", {"name": "../secrets/db", "key": "KEY"}, "no name"),
        ("secret", {"name": "db", "key": "../db/KEY"}, "no key"),
        ("secret", {"name": "db", "key": ".."}, "no key"),
        ("secret", {"name": "db", "key": "other"}, "write the value"),
        ("configMap", {}, "no name"),
        ("podFieldRef", {"path": "spec.secrets"}, "none of metadata.name"),
        ("podFieldRef", {}, "none of"),
    ],
)
def test_what_is_missing_is_named_with_its_remedy(
    sources: Sources, kind: str, reference: dict[str, str], words: str
) -> None:
    with pytest.raises(StartError, match=words):
        sources.variable(kind, reference)


@pytest.mark.parametrize("content", [b"\xff", b"a" * (LARGEST + 1)])
def test_a_value_that_no_variable_can_hold_is_refused(sources: Sources, content: bytes) -> None:
    (sources.state / "secrets" / "db" / "KEY").write_bytes(content)

    with pytest.raises(StartError):
        sources.variable("secret", {"name": "db", "key": "KEY"})
