"""Programs of others, as processes of a test's own."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.acceptance.daemons import PATIENCE


@asynccontextmanager
async def running(*command: str) -> AsyncIterator[None]:
    """Run a program, whose words nobody reads, until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@asynccontextmanager
async def exporting(*command: str) -> AsyncIterator[None]:
    """Run a program of the Prometheus toolkit until the block ends; it listens when this begins."""
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    try:
        async with asyncio.timeout(PATIENCE):
            async for line in process.stderr:
                if b"TLS is disabled" in line or b"Listening on" in line:
                    break
        yield
    finally:
        process.terminate()
        await process.communicate()


def free_address() -> str:
    """Return an address on loopback that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"
