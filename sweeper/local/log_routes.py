"""What a training printed: a call that Run:ai lacks, and people want first."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sweeper.clock import pause
from sweeper.local.requests import find_workload, read_flag, read_number
from sweeper.local.site import Site

MOST_LINES = 1_000_000
"""The most lines that `tail` may ask for."""

_BLOCK = 64 * 1024
_LOOK_SECONDS = 0.2


def log_route(site: Site, path: str) -> Route:
    """Return the route at `path`, which names the workload.

    The answer is the output as it was written. `tail=n` begins n lines before its end;
    `follow=true` goes on until the training is finished.
    """

    async def log(request: Request) -> Response:
        follow = read_flag(request, "follow")
        lines = read_number(request, "tail", (0, MOST_LINES))
        training = await find_workload(request, site.keeper)
        file = site.log_file(training)
        offset = 0 if lines is None else await asyncio.to_thread(offset_of_tail, file, lines)
        parts = _output(site, training.workload_id, file, offset, follow=follow)
        return StreamingResponse(parts, media_type="text/plain; charset=utf-8")

    return Route(path, log, methods=["GET"])


async def _output(
    site: Site, workload_id: str, file: Path, offset: int, *, follow: bool
) -> AsyncIterator[bytes]:
    """Yield what the file holds from `offset` on, and what comes while the training goes on."""
    while True:
        # What was printed before the end must be read after the end was seen.
        is_last = not follow or site.closing.is_set() or await _is_over(site, workload_id)
        while part := await asyncio.to_thread(_read, file, offset):
            offset += len(part)
            yield part
        if is_last:
            return
        await pause(_LOOK_SECONDS, wake=site.closing)


async def _is_over(site: Site, workload_id: str) -> bool:
    training = await site.keeper.find(workload_id)
    return training is None or training.is_over


def _read(file: Path, offset: int) -> bytes:
    try:
        with file.open("rb") as opened:
            opened.seek(offset)
            return opened.read(_BLOCK)
    except FileNotFoundError:
        # It comes with the first process.
        return b""


def offset_of_tail(file: Path, lines: int) -> int:
    """Return where the last `lines` lines of a file begin; the last may lack its end."""
    try:
        with file.open("rb") as opened:
            return _offset_of_tail(opened, lines)
    except FileNotFoundError:
        return 0


def _offset_of_tail(opened: BinaryIO, lines: int) -> int:
    end = at = opened.seek(0, os.SEEK_END)
    if lines == 0:
        return end
    while at > 0:
        start = max(at - _BLOCK, 0)
        opened.seek(start)
        block = opened.read(at - start)
        # The end of the last line separates it from nothing.
        found = len(block) - 1 if at == end else len(block)
        while (found := block.rfind(b"\n", 0, found)) >= 0:
            lines -= 1
            if lines == 0:
                return start + found + 1
        at = start
    return 0
