"""Find the first seed of the simulation that shows a fault: `python -m tests.planted.seeds 300`.

Prints the seed and what was wrong with it, or nothing when every world was as it should be.
"""

import logging
import signal
import sys
from collections.abc import Sequence

from tests.simulation.world import run_seed

PATIENCE_SECONDS = 60
"""A world takes a fraction of a second; one that does not end is as wrong as any."""


def wrong_with(seed: int) -> str:
    """Return what is wrong with the world of a seed, "" if nothing is."""
    signal.signal(signal.SIGALRM, _interrupt)
    signal.alarm(PATIENCE_SECONDS)
    try:
        found = run_seed(seed).violations
    except Exception as error:  # noqa: BLE001 - however it ends, it is not as it should be
        return f"{type(error).__name__}: {error}"
    finally:
        signal.alarm(0)
    return str(found[0]) if found else ""


def main(arguments: Sequence[str]) -> None:
    """Play as many seeds as the one argument says, until one is wrong."""
    logging.disable(logging.CRITICAL)
    for seed in range(int(arguments[0])):
        wrong = wrong_with(seed)
        if wrong:
            first, *_ = wrong.splitlines()
            sys.stdout.write(f"{seed} {first}\n")
            return


def _interrupt(_signal: int, _frame: object) -> None:
    raise TimeoutError(f"it did not end within {PATIENCE_SECONDS} s")


if __name__ == "__main__":
    main(sys.argv[1:])
