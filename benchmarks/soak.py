"""What a sweep of 20,000 trials holds while it goes through faults and kills, in virtual time.

    python benchmarks/soak.py [--trials 20000] [--active 100] [--kill-every 120]

Real daemon, client, store and simulated control plane in one process. Prints one line of JSON:
what was held between two lives of the daemon after a tenth of the trials and at the end. Ends
with 1 if tasks, descriptors or write-ahead logs grew, or a trial was lost or doubled.
"""

import argparse
import json
import logging
import resource
import sys
import time
from dataclasses import asdict
from pathlib import Path

import looptime

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.local.planes import memory_folder
from tests.support.soaking import Soak, faults, soak


def main():
    """Soak and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20_000)
    parser.add_argument("--active", type=int, default=100)
    parser.add_argument("--kill-every", type=float, default=120.0)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    began, loop = time.perf_counter(), looptime.new_event_loop()
    with memory_folder() as folder:
        held = loop.run_until_complete(soak(folder, Soak(**vars(options))))
    loop.close()
    early = next(one for one in held.between if one.settled >= options.trials / 10)
    last = held.between[-1]
    found = faults(held, options.trials)
    figures = {
        "trials": options.trials,
        "active": options.active,
        "states": held.states,
        "kills": held.kills,
        "virtual_hours": round(held.seconds / 3600, 1),
        "real_seconds": round(time.perf_counter() - began),
        "processor_seconds": round(sum(resource.getrusage(resource.RUSAGE_SELF)[:2])),
        "after_a_tenth": asdict(early),
        "at_the_end": asdict(last),
        "most_tasks": max(held.most_tasks),
        "most_descriptors": max(held.most_descriptors),
        "memory_after_each_life": [round(one) for one in held.memory],
        "largest_wal": max(one.wal for one in held.between),
        "faults": found,
    }
    print(json.dumps(figures))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
