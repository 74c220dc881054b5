"""Report values from inside a training: `sweeper.report(loss=0.12, step=3)`.

Standard library only: this file alone, copied into an image, works too. Where a report goes is
told by variables that sweeper sets in every training:

- `SWEEPER_REPORT_FILE` a file on this machine, which the daemon reads even after the training
  has ended: once the line is there, nothing is lost
- `SWEEPER_REPORT_URL`, `SWEEPER_REPORT_TOKEN` where the daemon listens, and this training's
  own token

Outside a sweep there are none of them, and a report does nothing.
"""

# ruff: noqa: TID251 - runs in other people's programs, which know nothing of our clock

import contextlib
import itertools
import json
import math
import operator
import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

__all__ = ["report"]

_PATIENCE = 10.0
_TRY_SECONDS = 5.0
_QUICK_SECONDS = 2.0
_SILENCE = 30.0
_FIRST_WAIT = 0.5
_NAME_BOUND = 256
_VALUES_BOUND = 100
_STEP_BOUND = 2**63


_Post: TypeAlias = Callable[[str, bytes, Mapping[str, str], float], int]
"""Posts (URL, content, headers, timeout in seconds) once; returns the status, 0 for none."""


def report(*, step: int | None = None, **values: float) -> bool:
    """Report values of this trial and return whether they are kept somewhere.

    `step` is the training's own count, such as its epoch.

    Anything that `float` makes a finite number of will do (numpy's and torch's scalars, too);
    anything else is left out. Never raises. On this machine it never waits longer than 2 s, and
    that at most every 30 s; elsewhere it tries for about 10 s while the daemon does not answer,
    and then, for a while, only once for each report.
    """
    try:
        return _reporter.report(step, values)
    except Exception as error:  # noqa: BLE001 - a report must never end a training
        _reporter.complain("fault", f"failed: {type(error).__name__}")
        return False


class _Reporter:
    """Knows, for one process, whether the daemon answers; free of locks, so that forks are safe.

    `_again_at` is the time, on the clock `now`, before which a daemon that did not answer is
    left alone.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        post: _Post | None = None,
    ) -> None:
        self._environment = environment
        self._now = now
        self._sleep = sleep
        self._post = post or _post
        self._again_at = -math.inf
        self._count = itertools.count(1)
        self._said: set[str] = set()

    def report(self, step: object, values: Mapping[str, object]) -> bool:
        """Hand a report to the file, then to the daemon; return whether either has it."""
        file = self._environment.get("SWEEPER_REPORT_FILE", "")
        url = self._environment.get("SWEEPER_REPORT_URL", "")
        numbers = self._numbers(values)
        if not numbers or not (file or url):
            return False
        # The counter tells calls of one process apart, the random part all processes.
        key = f"{os.getpid():x}-{next(self._count):x}-{os.urandom(8).hex()}"
        whole = _whole(step)
        kept = bool(file) and self._keep(file, key, whole, numbers)
        sent = bool(url) and self._send(url, key, whole, numbers, kept=kept)
        return kept or sent

    def complain(self, kind: str, message: str) -> None:
        """Say something on stderr, once for each kind."""
        if kind in self._said:
            return
        self._said.add(kind)
        with contextlib.suppress(Exception):
            print(f"sweeper.report: {message}", file=sys.stderr, flush=True)  # noqa: T201 - a training may have no logging

    def _numbers(self, values: Mapping[str, object]) -> dict[str, float]:
        numbers = {}
        for name, value in itertools.islice(values.items(), _VALUES_BOUND):
            number = _number(value)
            if number is not None and len(name) <= _NAME_BOUND:
                numbers[name] = number
            else:
                self.complain("value", f"{name[:40]!r} is left out: no finite number")
        return numbers

    def _keep(self, file: str, key: str, step: int | None, numbers: dict[str, float]) -> bool:
        at = datetime.now(UTC).isoformat()
        line = json.dumps({"key": key, "at": at, "step": step, "values": numbers})
        try:
            _append(file, line.encode("ascii"))
        except (OSError, ValueError) as error:
            self.complain("file", f"cannot write SWEEPER_REPORT_FILE: {type(error).__name__}")
            return False
        return True

    def _send(
        self, url: str, key: str, step: int | None, numbers: dict[str, float], *, kept: bool
    ) -> bool:
        """Post a report: once and quickly where it is kept already, else for a while."""
        is_resting = self._now() < self._again_at
        if kept and is_resting:
            return False
        content = json.dumps(numbers if step is None else numbers | {"step": step}).encode("ascii")
        headers = {
            "Authorization": f"Bearer {self._environment.get('SWEEPER_REPORT_TOKEN', '')}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        is_quick = kept or is_resting
        status = self._insist(url, content, headers, 0.0 if is_quick else _PATIENCE)
        if 200 <= status < 300:
            self._again_at = -math.inf
            return True
        if not is_resting:
            self._again_at = self._now() + _SILENCE
        if not kept:
            cause = f"status {status}" if status else "no answer"
            self.complain("send", f"the daemon did not take a report ({cause}); it may be lost")
        return False

    def _insist(self, url: str, content: bytes, headers: dict[str, str], patience: float) -> int:
        """Return the status of the answer that ended the tries, 0 when none came."""
        end = self._now() + patience
        longest = _TRY_SECONDS if patience else _QUICK_SECONDS
        wait = _FIRST_WAIT
        while True:
            left = max(end - self._now(), _QUICK_SECONDS)
            status = self._post(url, content, headers, min(longest, left))
            may_pass = status in {0, 408, 429} or status >= 500
            if not may_pass or end - self._now() <= wait:
                return status
            self._sleep(wait)
            wait *= 2


def _number(value: object) -> float | None:
    """Return `value` as a finite float, None when it is no number of one."""
    if isinstance(value, str | bytes | bytearray) or type(value).__name__ in {"bool", "bool_"}:
        return None
    try:
        number = float(value)  # type: ignore[arg-type] # whatever it is, it may know how
    except Exception:  # noqa: BLE001 - the value's own code runs here
        return None
    return number if math.isfinite(number) else None


def _whole(step: Any) -> int | None:
    if isinstance(step, bool):
        return None
    try:
        whole = int(step) if isinstance(step, float) and step.is_integer() else operator.index(step)
    except Exception:  # noqa: BLE001 - the value's own code runs here
        return None
    return whole if -_STEP_BOUND <= whole < _STEP_BOUND else None


def _append(file: str, line: bytes) -> None:
    """Add a line in one write, which no other process's can come between."""
    descriptor = _open(file)
    try:
        # What a full disk cut off must not spoil the line that follows it. (Another's write that
        # is only half done looks the same: then an empty line comes between, which is no harm.)
        size = os.fstat(descriptor).st_size
        is_torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        text = (b"\n" if is_torn else b"") + line + b"\n"
        if os.write(descriptor, text) != len(text):
            raise OSError("the line was cut")
    finally:
        os.close(descriptor)


def _open(file: str) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    try:
        return os.open(file, flags, 0o600)
    except FileNotFoundError:
        Path(file).parent.mkdir(mode=0o700, exist_ok=True)
        return os.open(file, flags, 0o600)


def _post(url: str, content: bytes, headers: Mapping[str, str], seconds: float) -> int:
    # Past any proxy, and following no redirect, which would carry the token elsewhere.
    import http.client

    try:
        parts = urlsplit(url)
        kind = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        connection = kind[parts.scheme](parts.hostname or "", parts.port, timeout=seconds)
        target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        try:
            connection.request("POST", target, content, dict(headers))
            status: int = connection.getresponse().status
        finally:
            connection.close()
    except Exception:  # noqa: BLE001 - an error's text may hold the token, so none is passed on
        return 0
    return status


_reporter = _Reporter(os.environ)
