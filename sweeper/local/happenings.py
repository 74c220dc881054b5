"""What processes do to their training: they start, become ready, end, or never were.

As in `trainings`, each function takes a training and returns the next. A key that is not that of
a process of the training, ordered or running, changes nothing: such news is old.
"""

from dataclasses import replace
from datetime import datetime

from sweeper.domain.phase import Phase
from sweeper.local.pods import Pod, Process
from sweeper.local.trainings import (
    LEASE_DELAY,
    LEAVING,
    LONGEST_BACKOFF,
    WORKING,
    LocalTraining,
    Step,
    backoff,
    enter,
    finish,
    leave,
    left,
    requeue,
    sized,
    told_of,
)


def started(training: LocalTraining, key: str, now: datetime) -> Step:
    """Record that a process that was ordered runs."""
    pod = training.pod(key)
    if pod is None or pod.process is not Process.ORDERED:
        return Step(training)
    running = _with(training, replace(pod, process=Process.RUNNING))
    message = f"Started {_process(training, pod)}, start {pod.start}"
    return Step(_judged(running, now), (told_of(training, now, "Started", message),))


def probed(training: LocalTraining, key: str, now: datetime, *, is_ready: bool) -> Step:
    """Record what the readiness probe of a process has found."""
    pod = training.pod(key)
    if pod is None or pod.process is not Process.RUNNING or pod.is_ready is is_ready:
        return Step(training)
    judged = _judged(_with(training, replace(pod, is_ready=is_ready)), now)
    reason = "Ready" if is_ready else "Unhealthy"
    words = "succeeded" if is_ready else "failed"
    message = f"The readiness probe of {_process(training, pod)} {words}"
    return Step(judged, (told_of(training, now, reason, message, is_warning=not is_ready),))


def not_started(training: LocalTraining, key: str, message: str, now: datetime) -> Step:
    """Record that an order was surely not carried out; `message` says why for a new wait."""
    pod = training.pod(key)
    if pod is None or pod.process is not Process.ORDERED:
        return Step(training)
    if training.phase in LEAVING:
        return _gone(training, pod, now)
    waiting = _again(training, pod, now + LEASE_DELAY, message, now)
    # With no other process there is a new turn, and perhaps another GPU.
    return Step(replace(waiting, not_before=None))


def refused(training: LocalTraining, key: str, reason: str, now: datetime) -> Step:
    """Record that a process cannot be started, now or later."""
    pod = training.pod(key)
    if pod is None or pod.process is not Process.ORDERED:
        return Step(training)
    if training.phase in {Phase.STOPPING, Phase.DELETING}:
        return _gone(training, pod, now)
    return _fail(training, pod, f"The process cannot be started: {reason}", now)


def ended(training: LocalTraining, key: str, exit_code: int | None, now: datetime) -> Step:
    """Record the end of a process; None means that nobody saw it end."""
    pod = training.pod(key)
    if pod is None:
        return Step(training)
    if pod.process is Process.ORDERED:
        # The end of a short process may be heard of before the answer to its order.
        start = started(training, key, now)
        end = ended(start.training, key, exit_code, now)
        return Step(end.training, start.events + end.events)
    if training.phase in LEAVING:
        return _gone(training, pod, now)
    if exit_code is None:
        message = "The node that ran the process is lost; it starts again elsewhere"
        event = told_of(training, now, "NodeLost", message, is_warning=True)
        if not _wants_more(training):
            return _without(training, pod, now)
        return Step(_again(training, pod, None, message, now), (event,))
    if exit_code == 0:
        return _succeeded(training, pod, now)
    return _failed(training, pod, exit_code, now)


def refill(training: LocalTraining, now: datetime) -> Step:
    """Give the pods without a process their next start, as far as that is due."""
    if training.phase not in WORKING:
        return Step(training)
    for pod in training.pods:
        if not pod.has_process and _is_due(pod, now):
            training = _with(training, _next_start(training, pod))
            training = _judged(replace(training, starts=training.starts + 1), now)
    return Step(training)


def _is_due(pod: Pod, now: datetime) -> bool:
    # A wait longer than any that is given was set by a clock that has been put back since.
    due = pod.not_before
    return due is None or due <= now or due > now + LONGEST_BACKOFF


def _next_start(training: LocalTraining, pod: Pod) -> Pod:
    return replace(
        pod,
        start=training.starts + 1,
        process=Process.ORDERED,
        is_ready=training.lifecycle.readiness is None,
        not_before=None,
    )


def _succeeded(training: LocalTraining, pod: Pod, now: datetime) -> Step:
    """Return what becomes of a training of which one process has succeeded."""
    counted = replace(training, succeeded=training.succeeded + 1)
    ending = "The process ended with exit code 0"
    if training.lifecycle.restarts_always:
        delay = backoff(counted.succeeded)
        message = f"{ending}; starting again in {delay.total_seconds():.0f} s (restartPolicy)"
        event = told_of(training, now, "BackOff", message)
        return Step(_again(counted, pod, now + delay, message, now), (event,))
    if not _wants_more(counted):
        return _without(counted, pod, now)
    message = f"{ending} ({counted.succeeded} of {counted.lifecycle.completions})"
    events = (told_of(training, now, "Succeeded", message),)
    rest = replace(counted, pods=tuple(one for one in counted.pods if one is not pod))
    if len(rest.pods) >= (counted.lifecycle.completions or 0) - counted.succeeded:
        if not rest.has_process:
            waiting = replace(requeue(rest, message, now), not_before=rest.due)
            return Step(waiting, events)
        return Step(_judged(sized(rest, len(rest.pods)), now), events)
    following = _with(counted, _next_start(counted, pod))
    return Step(_judged(replace(following, starts=counted.starts + 1), now), events)


def _failed(training: LocalTraining, pod: Pod, exit_code: int, now: datetime) -> Step:
    """Return what becomes of a training of which one process has failed."""
    failures = training.failures + 1
    counted = replace(training, failures=failures)
    limit = training.lifecycle.backoff_limit
    ending = f"The process ended with exit code {exit_code}"
    if not training.lifecycle.restarts or failures > limit:
        return _fail(counted, pod, ending, now)
    if not _wants_more(counted):
        return _without(counted, pod, now)
    delay = backoff(failures)
    message = f"{ending}; starting again in {delay.total_seconds():.0f} s ({failures} of {limit})"
    event = told_of(training, now, "BackOff", message, is_warning=True)
    return Step(_again(counted, pod, now + delay, message, now), (event,))


def _wants_more(training: LocalTraining) -> bool:
    """Whether another process is to be started after one that has ended."""
    if training.lifecycle.restarts_always:
        return True
    return training.succeeded < (training.lifecycle.completions or 1)


def _without(training: LocalTraining, pod: Pod, now: datetime) -> Step:
    """Take away a pod of a training that starts no other: the last one completes it."""
    rest = tuple(one for one in training.pods if one is not pod and one.has_process)
    if rest:
        return Step(_judged(sized(replace(training, pods=rest), len(rest)), now))
    message = "The process ended with exit code 0"
    if training.succeeded > 1:
        message = f"{training.succeeded} processes ended with exit code 0"
    return finish(training, Phase.COMPLETED, message, now)


def _again(
    training: LocalTraining, pod: Pod, not_before: datetime | None, message: str, now: datetime
) -> LocalTraining:
    """Let a pod wait for its next process; the last one gives its place back meanwhile."""
    waiting = _with(training, replace(pod, process=Process.NONE, not_before=not_before))
    if waiting.has_process:
        return _judged(waiting, now)
    return replace(requeue(training, message, now), not_before=not_before)


def _gone(training: LocalTraining, pod: Pod, now: datetime) -> Step:
    """Take away a pod of a training that is leaving."""
    rest = tuple(one for one in training.pods if one is not pod)
    if rest:
        return Step(sized(replace(training, pods=rest), len(rest)))
    return left(training, now)


def _fail(training: LocalTraining, pod: Pod, message: str, now: datetime) -> Step:
    """Fail a training, once its other processes are stopped."""
    rest = tuple(one for one in training.pods if one is not pod and one.has_process)
    if not rest:
        return finish(training, Phase.FAILED, message, now)
    failing = replace(training, pods=rest, is_failing=True)
    return Step(leave(failing, Phase.TERMINATING, now, message))


def _judged(training: LocalTraining, now: datetime) -> LocalTraining:
    """Return the training in the phase that its pods make together."""
    pods = training.pods
    if training.phase is Phase.INITIALIZING:
        is_up = all(pod.is_up for pod in pods)
        return enter(training, Phase.RUNNING, now) if is_up else training
    if training.phase not in WORKING:
        return training
    # A process that is ordered follows another at once, unless it is one that was waited for.
    was_whole = training.phase is Phase.RUNNING
    whole = sum(pod.is_up or (was_whole and pod.has_process and pod.is_ready) for pod in pods)
    if whole == len(pods):
        is_same = training.phase is Phase.RUNNING
        return training if is_same else enter(training, Phase.RUNNING, now)
    return enter(training, Phase.DEGRADED, now, f"{whole} of {len(pods)} processes are ready")


def _with(training: LocalTraining, pod: Pod) -> LocalTraining:
    """Return the training with a pod in the place of the one with its index."""
    pods = tuple(pod if one.index == pod.index else one for one in training.pods)
    return replace(training, pods=pods)


def _process(training: LocalTraining, pod: Pod) -> str:
    return "the process" if training.lifecycle.parallelism == 1 else f"process {pod.index}"
