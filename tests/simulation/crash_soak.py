"""Die at every point of every small sweep, and at every pair of points within the window.

    python -m tests.simulation.crash_soak [--jobs 2] [--sweep NAME ...] [--singles]
    python -m tests.simulation.crash_soak --sweep ambiguous --replay 12 3late

Prints what it counted for each sweep, and what went wrong with the way to see it again; ends
with 1 if anything did.
"""

import argparse
import logging
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat

from tests.simulation.crash_points import Fate, Played, Point, pairs, play, singles
from tests.simulation.crash_sweeps import SWEEPS


@dataclass(frozen=True, slots=True)
class Tally:
    """How many runs there were, and those in which something was wrong."""

    runs: int
    wrong: tuple[str, ...]


def tally(name: str, before: Sequence[Point], played: Iterable[tuple[Point, Played]]) -> Tally:
    """Count runs, and say how to see again what was wrong with them."""
    runs, wrong = 0, []
    for point, one in played:
        runs += 1
        if one.faults:
            deaths = " ".join(map(str, [*before, point]))
            wrong.append(f"--sweep '{name}' --replay {deaths}: {'; '.join(one.faults)}")
    return Tally(runs, tuple(wrong))


def points_of(name: str) -> tuple[Sequence[Point], Tally]:
    """Die once at every point of a sweep; return the points and what came of it."""
    played = list(singles(SWEEPS[name]))
    return [point for point, _ in played], tally(name, (), played)


def pairs_of(name: str, first: Point) -> Tally:
    """Die a second time at every point within the window."""
    return tally(name, (first,), pairs(SWEEPS[name], first))


def _init() -> None:
    logging.disable(logging.CRITICAL)


def soak(names: Sequence[str], jobs: int, *, with_pairs: bool) -> bool:
    """Do it for these sweeps; return whether all was well."""
    is_well = True
    with ProcessPoolExecutor(jobs, initializer=_init) as pool:
        for name in names:
            began = time.perf_counter()
            points, single = pool.submit(points_of, name).result()
            both = list(pool.map(pairs_of, repeat(name), points)) if with_pairs else []
            seconds = time.perf_counter() - began
            runs = sum(one.runs for one in both)
            wrong = [*single.wrong, *(words for one in both for words in one.wrong)]
            print(
                f"{name:12} points {single.runs:4}  pairs {runs:6}  violations {len(wrong):3}  "
                f"{(single.runs + runs) / seconds:5.1f}/s",
                flush=True,
            )
            print("".join(f"  {words}\n" for words in wrong[:20]), end="", flush=True)
            is_well = is_well and not wrong
    return is_well


def replay(name: str, deaths: Sequence[Point]) -> bool:
    """Show one run; return whether all was well."""
    played = play(SWEEPS[name], *deaths)
    for number, life in enumerate(played.lives, start=1):
        end = f"dies before {life.passed[-1]}" if life.is_over else "lives to the end"
        print(f"life {number}: {len(life.passed)} points, {end}")
        print("".join(f"  {at:3} {effect}\n" for at, effect in enumerate(life.passed, start=1)))
    print("".join(f"wrong: {words}\n" for words in played.faults) or "all is well")
    return not played.faults


def read_point(text: str) -> Point:
    """Return the point that was printed as `text`."""
    fate = Fate.LATE if text.endswith(Fate.LATE) else Fate.LOST
    return Point(int(text.removesuffix(Fate.LATE)), fate)


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sweep", nargs="+", default=list(SWEEPS), choices=list(SWEEPS))
    parser.add_argument("--singles", action="store_true", help="no pairs")
    parser.add_argument("--replay", nargs="+", type=read_point, metavar="POINT")
    options = parser.parse_args()
    _init()
    if options.replay:
        is_well = replay(options.sweep[0], options.replay)
    else:
        is_well = soak(options.sweep, options.jobs, with_pairs=not options.singles)
    sys.exit(not is_well)


if __name__ == "__main__":
    main()
