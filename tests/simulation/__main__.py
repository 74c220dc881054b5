"""Play seeds, many at once, or one to look at.

    python -m tests.simulation --seeds 20000 [--from 0] [--jobs 2] [--seconds 600]
    python -m tests.simulation --seed 123 [--trace] [--json]

Ends with 1 if an invariant was broken, and prints the seeds and how to see them again. With
`--seconds` it begins no more worlds after that time, and says how many it played.
"""

import argparse
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from tests.simulation.history import shown
from tests.simulation.scenario import SHAPE, draw
from tests.simulation.world import run_scenario

CHUNK = 10


@dataclass(slots=True)
class Tally:
    """What was played: worlds, virtual seconds, what befell them, and what went wrong."""

    seeds: int = 0
    seconds: float = 0.0
    lives: int = 0
    kills: int = 0
    requests: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    happenings: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[int, str]] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Take in what another process played."""
        self.seeds += other.seeds
        self.seconds += other.seconds
        self.lives += other.lives
        self.kills += other.kills
        self.requests += other.requests
        self.faults += other.faults
        self.happenings += other.happenings
        self.wrong += other.wrong


def play(first: int, count: int) -> Tally:
    """Play seeds one after the other."""
    tally = Tally()
    for seed in range(first, first + count):
        scenario = draw(seed)
        outcome = run_scenario(scenario)
        tally.seeds += 1
        tally.seconds += outcome.seconds
        tally.happenings.update(one.what for one in scenario.happenings)
        for note in outcome.history.notes:
            tally.lives += note.what == "life"
            tally.kills += note.what == "killed"
        for request in outcome.history.requests:
            tally.requests += 1
            if request.fate:
                tally.faults[request.fate] += 1
        tally.wrong += [(seed, str(violation)) for violation in outcome.violations]
    return tally


def _init() -> None:
    logging.disable(logging.CRITICAL)


def _chunks(first: int, seeds: int, until: float) -> Iterator[tuple[int, int]]:
    for start in range(first, first + seeds, CHUNK):
        if time.perf_counter() > until:
            return
        yield start, min(CHUNK, first + seeds - start)


def soak(first: int, seeds: int, jobs: int, seconds: float) -> Tally:
    """Play many seeds in several processes, telling now and then how far it came."""
    began = time.perf_counter()
    tally = Tally()
    chunks = _chunks(first, seeds, began + seconds)
    told = 0
    with ProcessPoolExecutor(jobs, initializer=_init) as pool:
        while batch := list(islice(chunks, 2 * jobs)):
            for done in [pool.submit(play, *chunk) for chunk in batch]:
                part = done.result()
                tally.add(part)
                for seed, words in part.wrong:
                    print(f"seed {seed}: {words}", flush=True)
            if tally.seeds // 1000 > told:
                told = tally.seeds // 1000
                rate = tally.seeds / (time.perf_counter() - began)
                print(f"{tally.seeds} seeds, {rate:.1f}/s, {len(tally.wrong)} wrong", flush=True)
    _tell(tally, time.perf_counter() - began)
    return tally


def _tell(tally: Tally, seconds: float) -> None:
    rate = tally.seeds / seconds
    print(f"seeds       {tally.seeds} in {seconds:.0f} s ({rate:.1f}/s)")
    print(
        f"virtual     {tally.seconds / 86_400:.1f} days, {tally.seconds / seconds:.0f} times real"
    )
    print(f"daemons     {tally.lives}, {tally.kills} of them killed")
    print(f"requests    {tally.requests}, {tally.faults.total()} of them went wrong")
    print("faults      " + ", ".join(f"{what} {n}" for what, n in tally.faults.most_common()))
    print("happenings  " + ", ".join(f"{what} {n}" for what, n in tally.happenings.most_common()))
    print(f"violations  {len(tally.wrong)}")
    for seed in sorted({seed for seed, _ in tally.wrong}):
        print(f"  python -m tests.simulation --seed {seed} --trace")


def replay(seed: int, *, trace: bool, as_json: bool) -> bool:
    """Show one world; return whether all was well."""
    scenario = draw(seed)
    if as_json:
        print(SHAPE.dump_json(scenario, exclude_defaults=True).decode())
        return True
    outcome = run_scenario(scenario)
    if trace:
        print(scenario)
        print("\n".join(shown(line) for line in outcome.history.lines))
    print("\n".join(map(str, outcome.violations)) or "all is well")
    print(outcome.history.digest())
    return not outcome.violations


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int)
    parser.add_argument("--trace", action="store_true")
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args(arguments)
    _init()
    if options.seed is not None:
        return int(not replay(options.seed, trace=options.trace, as_json=options.as_json))
    tally = soak(options.first, options.seeds, options.jobs, options.seconds)
    return int(bool(tally.wrong))


if __name__ == "__main__":
    sys.exit(main())
