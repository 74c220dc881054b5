"""Why a training failed, as far as its events tell.

The API has no exit code and no failure class: only Kubernetes events (`GET /workloads/{id}/
events`, newest first). Reasons are those of Kubernetes and of Run:ai's scheduler (KAI), which
evicts a pod with reason `Evict` and a message holding "was preempted".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sweeper.domain.trial import FailureClass, TrainingEvent

_INFRASTRUCTURE_REASONS = frozenset(
    {
        "BackoffLimitExceededByNode",
        "ErrImagePull",
        "FailedAttachVolume",
        "FailedCreatePodSandBox",
        "FailedMapVolume",
        "FailedMount",
        "ImageGCFailed",
        "ImagePullBackOff",
        "NetworkNotReady",
        "NodeAffinity",
        "NodeHasDiskPressure",
        "NodeLost",
        "NodeNotReady",
        "NodeShutdown",
        "OutOfcpu",
        "OutOfmemory",
        "OutOfpods",
        "Shutdown",
        "SystemOOM",
        "TaintManagerEviction",
        "TerminationByKubelet",
        "UnexpectedAdmissionError",
    }
)
_START_REASONS = frozenset({"Started", "Completed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Why an attempt failed; `failure` None means that it was preempted, which costs no budget."""

    failure: FailureClass | None
    reason: str
    exit_code: int | None = None


def judge(events: Sequence[TrainingEvent]) -> Verdict:
    """Return why a training in phase Failed failed; `events` newest first, possibly none.

    An eviction explains the failure unless the training was seen to start again after it. What
    no event explains is the program's own failure.
    """
    exit_code = next((event.exit_code for event in events if event.exit_code is not None), None)
    for event in events:
        if _is_eviction(event):
            return Verdict(failure=None, reason=f"preempted: {event.message or event.reason}")
        if event.reason in _INFRASTRUCTURE_REASONS:
            reason = f"{event.reason}: {event.message}" if event.message else event.reason
            return Verdict(failure=FailureClass.INFRASTRUCTURE, reason=reason)
        if event.reason in _START_REASONS:
            break
    return Verdict(
        failure=FailureClass.APPLICATION,
        reason=_failure_reason(events, exit_code),
        exit_code=exit_code,
    )


def _is_eviction(event: TrainingEvent) -> bool:
    return event.reason in {"Evict", "Evicted", "Preempted"} or "was preempted" in event.message


def _failure_reason(events: Sequence[TrainingEvent], exit_code: int | None) -> str:
    if any(event.reason in {"OOMKilled", "OOMKilling"} for event in events):
        return "out of memory (OOMKilled)"
    if exit_code is not None:
        return f"exit code {exit_code}"
    newest = next((event for event in events if event.message), None)
    return newest.message if newest else "the control plane says Failed, and no event says why"
