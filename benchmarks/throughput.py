"""Trials per second of 500 trainings that do nothing, beside `xargs -P8` in the same run.

    python benchmarks/throughput.py [--trials 500] [--active 8]

Both start the same program (`true`) as often, as many at a time, on this machine. sweeper also
writes each of them to disk several times, which is what it is for; the ratio says what that costs.
On a busy machine the processor's own seconds say more: those of the daemon, from start to end.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def seconds(command, **options):
    """Return how long a command takes; it must succeed."""
    started = time.perf_counter()
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
    )
    return time.perf_counter() - started


def processor_seconds():
    """Return what the processor has worked so far for commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def sweep_file(folder, trials, active):
    """Write a sweep of `trials` trials of `true` and return its path."""
    file = folder / "noop.yaml"
    file.write_text(
        "name: noop\nmethod: grid\ncommand: ['true']\n"
        f"parameters: {{i: {{min: 1, max: {trials}}}}}\nlimits: {{active: {active}}}\n"
    )
    return file


def main():
    """Measure both and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--active", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        numbers = "\n".join(map(str, range(options.trials)))
        peer = seconds(["xargs", f"-P{options.active}", "-n1", "true"], input=numbers.encode())
        file = sweep_file(folder, options.trials, options.active)
        sweeper = [sys.executable, "-m", "sweeper"]
        flags = ["--state-dir", str(folder / "state"), "--listen", "127.0.0.1:0"]
        start_up = seconds([*sweeper, "validate", str(file)])
        before = processor_seconds()
        own = seconds([*sweeper, "run", str(file), *flags])
        spent = processor_seconds() - before
    print(
        json.dumps(
            {
                "trials": options.trials,
                "active": options.active,
                "sweeper_trials_per_second": round(options.trials / own, 1),
                "xargs_trials_per_second": round(options.trials / peer, 1),
                "sweeper_processor_ms_a_trial": round(1000 * spent / options.trials, 1),
                "ratio": round(peer / own, 3),
                "sweeper_start_up_seconds": round(start_up, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
