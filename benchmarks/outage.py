"""What an outage of a control plane costs it, and how soon all is as before, in virtual time.

    python benchmarks/outage.py [--active 400] [--seconds 600] [--seed 7]

The client and the daemon are the real ones, over a scripted transport; every figure is counted
from what the other side saw. Prints one line of JSON for each way in which it can be away, with
and without a listing, and ends with 1 if a figure is worse than docs/reliability.md promises.
"""

import argparse
import json
import logging
import sys
from dataclasses import asdict
from pathlib import Path

import looptime

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.runai.test_outage import is_kept
from tests.support.outage import Scene, play


def played(scene):
    """Play a scene in a loop whose time is virtual."""
    loop = looptime.new_event_loop()
    try:
        return loop.run_until_complete(play(scene))
    finally:
        loop.close()


def main():
    """Play every scene and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--active", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    missed = []
    for has_listing in (True, False):
        for fault in ("503", "refused", "hang"):
            scene = Scene(has_listing=has_listing, fault=fault, **vars(options))
            figures = played(scene)
            scene_name = {"reads": "listing" if has_listing else "get only", "fault": fault}
            rounded = {name: round(value, 3) for name, value in asdict(figures).items()}
            print(json.dumps(scene_name | rounded), flush=True)
            missed += [(scene_name, name) for name, ok in is_kept(figures).items() if not ok]
    for scene_name, name in missed:
        print(f"missed: {name} {scene_name}", file=sys.stderr)
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
