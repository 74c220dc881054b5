"""What a sweep takes, as a plan shows it."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any, TypeAlias

from sweeper.daemon.pacing import BUSY_WAIT, QUIET_WAIT
from sweeper.domain.estimating import Looks, estimate
from sweeper.domain.sweep import SweepSpec
from sweeper.domain.wording import phrase_duration
from sweeper.wire.gpus import gpus_of

JsonObject: TypeAlias = dict[str, Any]

_LOOKS = Looks(quiet=timedelta(seconds=QUIET_WAIT), busy=timedelta(seconds=BUSY_WAIT))


def estimate_of(spec: SweepSpec, trials: int | None, duration: timedelta) -> JsonObject | None:
    """Return what a sweep of so many trials takes at that length each; None if nobody can say."""
    gpus = gpus_of(spec.training.spec if spec.training is not None else None)
    found = None if trials is None else estimate(trials, duration, gpus, spec.limits, _LOOKS)
    if found is None:
        return None
    shown = asdict(found)
    return {
        "trial_duration_seconds": duration.total_seconds(),
        "wall_clock_seconds": shown.pop("wall_clock").total_seconds(),
        **shown,
        "api_calls": found.creates + found.listings,
    }


def estimate_text(found: JsonObject | None) -> str:
    """Return an estimate in a line."""
    if found is None:
        return "takes: nobody can say, without a number of trials (run_cap) that can be run"
    each, whole = (
        phrase_duration(timedelta(seconds=found[f"{key}_seconds"]))
        for key in ("trial_duration", "wall_clock")
    )
    text = (
        f"takes {whole} at {each} a trial, {found['slots']} at a time; {found['gpu_hours']:g} "
        f"GPU-hours, {found['api_calls']} API calls ({found['creates']} creates)"
    )
    return f"{text}; limits.deadline ends it before" if found["is_cut"] else text
