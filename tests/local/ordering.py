"""A client that starts one process and waits to be killed: `python -m tests.local.ordering`."""

import asyncio
import sys
from pathlib import Path

from sweeper.local.supervised import open_supervised
from tests.local.supervising import Place


async def main(root: Path, script: str) -> None:
    """Start `script` as process `a`, say so, and wait."""
    place = Place(root)
    async with open_supervised(place.options) as runtime:
        await runtime.start(place.script("a", script))
        print("started", flush=True)  # noqa: T201 - what the test waits for
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
