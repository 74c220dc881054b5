"""Make trials again from what the control plane has of their trainings, the store being lost.

Names and labels tell sweep, trial and attempt; the sweep file gives the params; phases give the
states. What only the store knew (budgets used up, curves, wishes, suspends of ours) is gone.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from sweeper.domain.change import Change, changed
from sweeper.domain.orphans import attempt_of
from sweeper.domain.planning import Draft
from sweeper.domain.settling import adopted, found_deleted
from sweeper.domain.sweep import SweepSpec
from sweeper.domain.trial import FailureClass, Observation, Submission, Trial, TrialState

NO_TRACE = "no trace of it was left when the store was rebuilt; `sweeper retry` runs it again"

_ID = re.compile(r"[a-z2-7]{10}")


def sweep_ids(slug: str, names: Iterable[str]) -> Mapping[str, int]:
    """Return the ids of the sweeps that trainings of these names belong to, with their counts."""
    beginning = f"{slug}-"
    counts: Counter[str] = Counter()
    for name in names:
        found = name.removeprefix(beginning)[:10]
        if _ID.fullmatch(found) and attempt_of(f"{beginning}{found}-", name):
            counts[found] += 1
    return counts


def from_living(
    draft: Draft, number: int, attempt: int, seen: Observation, spec: SweepSpec, now: datetime
) -> Change:
    """Return the trial whose newest attempt has a training that is there, proved to be ours."""
    trial = begun(draft, number, attempt, seen.created_at or now, now)
    return adopted(trial, seen, spec.resume, now)


def from_deleted(
    draft: Draft, number: int, attempt: int, last: Observation, spec: SweepSpec, now: datetime
) -> Change:
    """Return the trial whose newest attempt has a training that only the deleted ones have."""
    trial = begun(draft, number, attempt, last.created_at or now, now)
    return found_deleted(trial, last, spec.retry, now)


def from_nothing(draft: Draft, number: int, now: datetime) -> Change:
    """Return a trial that must have begun, for later ones did, and that left nothing behind.

    It may have finished long ago, so it fails instead of running twice; a person can retry it.
    """
    trial = begun(draft, number, 1, now, now)
    over = replace(trial.submission, ended_at=now, sent_at=None, reason=NO_TRACE)
    failed = replace(trial, submission=over, failure=FailureClass.VANISHED)
    return changed(None, failed.enter(TrialState.FAILED, now, NO_TRACE), now)


def begun(draft: Draft, number: int, attempt: int, since: datetime, now: datetime) -> Trial:
    """Return a trial without a row as it was once this attempt was sent."""
    submission = Submission(
        attempt=attempt,
        workload_name=draft.workload_name,
        digest=draft.digest,
        gpus=draft.gpus,
        intent_at=since,
        sent_at=since,
    )
    return Trial(
        number=number,
        params=draft.params,
        state=TrialState.SUBMITTING,
        state_since=now,
        created_at=since,
        submission=submission,
    )
