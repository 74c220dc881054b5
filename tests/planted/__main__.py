"""Let the tests find every planted bug: `python -m tests.planted [--seeds N] [--write] [NAME ...]`.

Each bug is planted into a copy of the project. Its own test must fail there; besides, worlds are
simulated until one shows a fault. `--write` keeps what found which in `FOUND.md`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.planted.bug import Bug
from tests.planted.finding import Found, Tree, copied
from tests.planted.table import BUGS

FOUND = Path(__file__).with_name("FOUND.md")

_HEAD = """\
# Planted bugs

Each of these mistakes was put into a copy of the project, one at a time, and the tests were run.
The named test fails with it. The seed is the first simulated world that shows it, out of {seeds};
where there is none, what the bug does is not visible from the server's side, or only behind what
else guards against it. Written by `python -m tests.planted --seeds {seeds} --write`.

| Bug | What goes wrong | Test | Seed |
|---|---|---|---|
"""


def main(arguments: Sequence[str]) -> int:
    """Look for the bugs that were named, or for all; return 1 if one was found by nothing."""
    parser = argparse.ArgumentParser(prog="python -m tests.planted")
    parser.add_argument("--seeds", type=int, default=300, help="worlds to simulate at most")
    parser.add_argument("--write", action="store_true", help=f"write {FOUND.name}")
    parser.add_argument("names", nargs="*", help="bugs to look for (all)")
    given = parser.parse_args(arguments)
    found: list[Found] = []
    with copied() as tree:
        for bug in BUGS:
            if not given.names or bug.name in given.names:
                found.append(_look_for(bug, tree, given.seeds))
                _say(found[-1])
    missed = [one.bug.name for one in found if not one.test and one.seed is None]
    if missed:
        sys.stdout.write(f"found by nothing: {', '.join(missed)}\n")
    if given.write:
        table = "".join(map(_row, found))
        FOUND.write_text(_HEAD.format(seeds=given.seeds) + table, encoding="utf-8")
    return int(bool(missed))


def _look_for(bug: Bug, tree: Tree, seeds: int) -> Found:
    with tree.planted(bug):
        test = tree.first_failure(bug.finder)
        seed = tree.first_seed(seeds) if seeds else None
    return Found(bug=bug, test=test, seed=seed)


def _say(found: Found) -> None:
    seed = "no seed" if found.seed is None else f"seed {found.seed}"
    sys.stdout.write(f"{found.bug.name:45} {seed:10} {found.test or 'no test'}\n")
    sys.stdout.flush()


def _row(found: Found) -> str:
    seed = "" if found.seed is None else str(found.seed)
    test = found.bug.finder.removeprefix("tests/").replace("::", " ") if found.test else ""
    return f"| {found.bug.name} | {found.bug.fault} | {test} | {seed} |\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
