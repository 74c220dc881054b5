"""Let mutmut plant a mutation at every place of the domain, and say how many the tests notice.

    python -m tests.planted.mutants [--jobs N] [MODULE ...]

Works on a copy of the project below `build/`. A mutation that no test can notice, because it
changes nothing, stands in `equivalent.toml` with the reason; it counts as noticed by nobody all
the same, and is only left out of the list of those that are left to look at.
"""

import argparse
import ast
import difflib
import json
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.planted.finding import ROOT, copy_project

BUILD = ROOT / "build" / "mutants"
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
WANTED = 0.9
"""So large a share of all mutations the tests must notice."""

_SURVIVED = frozenset({0, 33})
"""How mutmut ends on a mutation that passes all tests, or that no test comes by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survivor:
    """A mutation that no test notices: the lines that it takes away, and those in their place."""

    module: str
    function: str
    was: str
    becomes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How many mutations of one module there were, and which of them survived."""

    module: str
    mutations: int
    survivors: Sequence[Survivor]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run mutmut and print the score of each module; return 1 if it is below what is wanted."""
    parser = argparse.ArgumentParser(prog="python -m tests.planted.mutants")
    parser.add_argument("--jobs", type=int, default=1, help="mutations tried side by side")
    parser.add_argument("modules", nargs="*", help="modules of the domain (all)")
    given = parser.parse_args(arguments)
    shutil.rmtree(BUILD, ignore_errors=True)
    copy_project(BUILD)
    names = [f"sweeper.domain.{module}.*" for module in given.modules]
    command = ["mutmut", "run", "--max-children", str(given.jobs), *names]
    done = subprocess.run([sys.executable, "-m", *command], cwd=BUILD, check=False)
    if done.returncode:
        return done.returncode
    return _report([score for score in scores(BUILD / "mutants") if score.mutations])


def scores(mutants: Path) -> Iterator[Score]:
    """Yield the score of each module that mutmut has left its results of in a folder."""
    for results in sorted(mutants.glob("sweeper/domain/*.py.meta")):
        source = results.with_suffix("")
        codes: Mapping[str, int | None] = json.loads(results.read_text())["exit_code_by_key"]
        tried = {name: code for name, code in codes.items() if code is not None}
        survived = [name.rpartition(".")[2] for name, code in tried.items() if code in _SURVIVED]
        yield Score(
            module=source.stem,
            mutations=len(tried),
            survivors=list(_survivors(source, survived)) if survived else [],
        )


def _survivors(source: Path, names: Sequence[str]) -> Iterator[Survivor]:
    text = source.read_text(encoding="utf-8")
    lines = text.splitlines()
    bodies = {
        node.name: lines[node.lineno : node.end_lineno]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef)
    }
    for name in names:
        function = name.rpartition("__mutmut_")[0]
        changed = list(
            difflib.unified_diff(bodies[f"{function}__mutmut_orig"], bodies[name], n=0, lineterm="")
        )[2:]
        yield Survivor(
            module=source.stem,
            function=function.removeprefix("x").strip("_").replace("ǁ", "."),
            was=_joined(changed, "-"),
            becomes=_joined(changed, "+"),
        )


def _joined(changed: Sequence[str], sign: str) -> str:
    return " ".join(" ".join(line[1:].split()) for line in changed if line.startswith(sign))


def _report(found: Sequence[Score]) -> int:
    judged = Counter(
        (entry["module"], entry["was"], entry["becomes"])
        for entry in tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("equivalent", [])
    )
    survivors = [survivor for score in found for survivor in score.survivors]
    left = [one for one in survivors if not judged[one.module, one.was, one.becomes]]
    for one in left:
        print(f"{one.module}.{one.function}\n    - {one.was}\n    + {one.becomes}")  # noqa: T201
    for score in found:
        noticed = score.mutations - len(score.survivors)
        _say(score.module, noticed, score.mutations)
    total = sum(score.mutations for score in found)
    share = _say("all", total - len(survivors), total)
    print(f"{len(survivors) - len(left)} of {len(survivors)} survivors change nothing")  # noqa: T201
    return int(share < WANTED)


def _say(what: str, noticed: int, of: int) -> float:
    share = noticed / of if of else 1.0
    print(f"{what:20} {noticed:5} of {of:5}  {share:6.1%}")  # noqa: T201
    return share


if __name__ == "__main__":
    sys.exit(main())
