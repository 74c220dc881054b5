"""Asks the process that suggests, and starts it when it is needed."""

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

from sweeper.domain.result import Result
from sweeper.domain.values import Params, freeze
from sweeper.errors import SuggestionError
from sweeper.search.messages import order_json, result_json
from sweeper.search.order import Order

T = TypeVar("T")

_LONGEST_LINE = 64 * 2**20


class StudyProcess:
    """One study in a process of its own; after a failure, a new one that was told nothing."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._process: Process | None = None

    @property
    def knows_nothing(self) -> bool:
        """Whether the next question must tell everything."""
        return self._process is None

    async def ask(self, number: int, results: Sequence[Result]) -> Params:
        """Tell results, and return what is suggested for a trial.

        Raises:
            SuggestionError: nothing was; whoever asks again must tell everything.
        """
        question = {"tell": [result_json(result) for result in results], "ask": number}
        try:
            process = self._process or await self._start()
            answer = await _exchange(process, question)
        except (OSError, ValueError) as error:
            await self.close()
            raise SuggestionError(f"the process that suggests broke off: {error}") from error
        except BaseException:
            # Half a question, or an answer that nobody took, and the two talk past each other.
            await self.close()
            raise
        if "error" in answer:
            await self.close()
            raise SuggestionError(str(answer["error"]))
        return cast(Params, freeze(answer["params"]))

    async def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _start(self) -> Process:
        # A session of its own: Ctrl-C at the terminal is the daemon's affair.
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "sweeper.search.serving",
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            limit=_LONGEST_LINE,
            start_new_session=True,
        )
        await _say(process, {"order": order_json(self._order)})
        return process


@asynccontextmanager
async def study_process(order: Order) -> AsyncIterator[StudyProcess]:
    """Open a study in a process of its own, which ends with the block."""
    study = StudyProcess(order)
    try:
        yield study
    finally:
        await study.close()


async def _exchange(process: Process, question: dict[str, Any]) -> dict[str, Any]:
    await _say(process, question)
    line = await _piped(process.stdout).readline()
    if not line:
        raise ConnectionResetError("it ended")
    answer: dict[str, Any] = json.loads(line)
    return answer


async def _say(process: Process, message: dict[str, Any]) -> None:
    stdin = _piped(process.stdin)
    stdin.write(json.dumps(message).encode() + b"\n")
    await stdin.drain()


def _piped(stream: T | None) -> T:
    if stream is None:
        raise ConnectionResetError("it has no pipe")
    return stream
