"""A scrape with many active trainings, beside prometheus-client alone in the same run.

    python benchmarks/scrape.py [--active 400 20000] [--times 7]

For each number of active trainings it prints one line of JSON with medians: `render_ms` is what
sweeper takes to render a scrape, `http_ms` a whole GET of /metrics on this machine, `stall_ms` the
longest that the daemon's event loop was held up meanwhile, and `peer_ms` what prometheus-client
takes for as many bare info series with the same labels. `ratio` is render to peer. The exit code is
1 where `http_ms` is above what docs/metrics.md promises.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from pathlib import Path

import httpx
from prometheus_client import CollectorRegistry, Gauge, generate_latest

sys.path.insert(0, str(Path(__file__).parent.parent))

from sweeper.clock import utc_now
from sweeper.telemetry.metrics import Metrics
from sweeper.web.serving import bind_tcp, serve
from sweeper.web.telemetry import telemetry_app
from tests.support.builders import a_trial
from tests.telemetry.builders import a_best, a_tick

PROMISED = {400: 20.0, 20_000: 400.0}
"""Milliseconds that a scrape may take, by the number of active trainings."""

LABELS = ("sweep", "trial", "attempt", "workload_id", "workload_name", "project", "cluster")


def milliseconds(call, times):
    """Return the median of how long a call takes."""
    lengths = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        lengths.append(time.perf_counter() - started)
    return 1000 * statistics.median(lengths)


def metrics_with(active):
    """Return the metrics of a sweep with so many trainings at work."""
    metrics = Metrics(version="1", now=utc_now)
    trials = [a_trial(number) for number in range(active)]
    metrics.ticked(a_tick(*trials, best=a_best(), active_limit=active))
    return metrics


def peer_with(active):
    """Return a registry of prometheus-client's own with as many series."""
    registry = CollectorRegistry()
    gauge = Gauge("training_info", "A training", LABELS, registry=registry)
    for number in range(active):
        gauge.labels(
            "demo", str(number), "1", f"id-{number}-1", f"demo-abcdefghij-{number}-1", "", ""
        ).set(1)
    return registry


async def longest_stall(stop):
    """Return the longest that the loop was held up until `stop` is set, in milliseconds."""
    longest, before = 0.0, time.perf_counter()
    while not stop.is_set():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest, before = max(longest, now - before - 0.001), now
    return 1000 * longest


async def fetched(metrics, times):
    """Return the median of a GET of /metrics, and the longest stall of the loop, in ms."""
    app = telemetry_app(metrics.render, health=str, readiness=str)
    bound = bind_tcp("127.0.0.1", 0)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/metrics"

    stop = asyncio.Event()
    # A process of its own, as Prometheus is: what it does holds up no loop of ours.
    command = [sys.executable, __file__, "--fetch", url, "--times", str(times)]
    async with serve(app, [bound]), asyncio.TaskGroup() as group:
        stall = group.create_task(longest_stall(stop))
        client = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        told, _ = await client.communicate()
        stop.set()
    return float(told), stall.result()


def fetch(url, times):
    """Print the median of a GET of `url` in milliseconds."""
    with httpx.Client(trust_env=False, timeout=60) as client:
        print(milliseconds(lambda: client.get(url).raise_for_status(), times))


def measured(active, times):
    """Return one line of figures."""
    metrics, peer = metrics_with(active), peer_with(active)
    render = milliseconds(lambda: metrics.render(""), times)
    bare = milliseconds(lambda: generate_latest(peer), times)
    get, stall = asyncio.run(fetched(metrics, times))
    return {
        "active": active,
        "render_ms": round(render, 1),
        "http_ms": round(get, 1),
        "stall_ms": round(stall, 1),
        "peer_ms": round(bare, 1),
        "ratio": round(render / bare, 2),
    }


def main():
    """Measure each size and print a line for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--active", type=int, nargs="+", default=[400, 20_000])
    parser.add_argument("--times", type=int, default=7)
    parser.add_argument("--fetch", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fetch:
        fetch(options.fetch, options.times)
        return
    missed = []
    for active in options.active:
        figures = measured(active, options.times)
        print(json.dumps(figures), flush=True)
        if figures["http_ms"] > PROMISED.get(active, float("inf")):
            missed.append(active)
    for active in missed:
        print(f"missed: {PROMISED[active]:.0f} ms with {active} trainings", file=sys.stderr)
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
