"""The disk refuses a reading, a writing or a sync, and the daemon ends as on any store error.

What it leaves is opened as it is, and as it may be once the power was cut as well: after a sync
that failed nobody knows what of the writes before it is on the disk.
"""

import asyncio
import os
import random
from itertools import count

import apsw
import pytest

from tests.local.planes import memory_folder
from tests.store.disk.images import Disk
from tests.store.disk.recording import Acknowledged
from tests.store.disk.replaying import OFTEN, broken_off, laid_down, opened, replayed

CASES = 8
STRIDE = int(os.environ.get("STRIDE", "31"))
"""Every so many accesses one is refused; 1 plays all, which takes minutes."""

pytestmark = [
    pytest.mark.timeout(240),
    # A refusal that SQLite has no use for, as while it closes, comes up as a warning.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class Refusal:
    """Refuses one access to the disk, and all that come after it."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self) -> None:
        self.left -= 1
        if self.left <= 0:
            raise apsw.IOError("input/output error")


@pytest.mark.parametrize("first", range(1, CASES + 1))
def test_whatever_the_disk_refuses_nothing_acknowledged_is_lost(first: int) -> None:
    replay, rng = replayed(2, OFTEN), random.Random(first)
    reached = 0

    for at in count(first * STRIDE // CASES + 1, STRIDE):
        refusal = Refusal(at)
        with memory_folder() as folder:
            acts = broken_off(folder / "store.db", OFTEN, refusal)
            if refusal.left > 0:
                break
            found = asyncio.run(opened(folder / "store.db"))
        disk = Disk()
        for act in acts:
            disk.follow(act)
        with memory_folder() as folder:
            left = asyncio.run(opened(laid_down(folder, disk.after_loss(rng))))

        acknowledged = sum(isinstance(act, Acknowledged) for act in acts)
        assert found in replay.at(acknowledged), f"after access {at}"
        assert left in replay.at(acknowledged), f"after access {at} and a loss of power"
        reached += 1

    assert reached > 5
