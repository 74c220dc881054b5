"""The list of planted bugs cannot rot: each still has its place in the code, and its finder."""

import ast
from collections import Counter

import pytest

from tests.planted.bug import Bug
from tests.planted.finding import ROOT
from tests.planted.table import BUGS

each_bug = pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)


def _tests_in(path: str) -> set[str]:
    """Return the tests of a file, each as `test_it` or as `TestThat::test_it`."""
    module = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    classes = [node for node in module.body if isinstance(node, ast.ClassDef)]
    inner = {f"{one.name}::{name}" for one in classes for name in _functions(one.body)}
    return inner | set(_functions(module.body))


def _functions(body: list[ast.stmt]) -> list[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node.name for node in body if isinstance(node, kinds)]


@each_bug
def test_a_bug_still_has_its_place_in_the_code(bug: Bug) -> None:
    sound = (ROOT / bug.path).read_text(encoding="utf-8")

    planted = bug.planted(sound)

    assert ast.dump(ast.parse(planted)) != ast.dump(ast.parse(sound))


@each_bug
def test_the_finder_of_a_bug_exists(bug: Bug) -> None:
    path, _, name = bug.finder.partition("::")

    assert name in _tests_in(path)


def test_there_are_enough_bugs_and_no_two_are_one() -> None:
    names = Counter(bug.name for bug in BUGS)
    changes = Counter((bug.path, bug.old, bug.new) for bug in BUGS)

    assert len(BUGS) >= 25
    assert set(names.values()) == {1}
    assert set(changes.values()) == {1}


def test_a_bug_whose_place_is_gone_is_refused() -> None:
    bug = BUGS[0]

    with pytest.raises(ValueError, match=f"{bug.name}: its place occurs 0 times in {bug.path}"):
        bug.planted("")
