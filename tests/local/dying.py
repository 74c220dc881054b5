"""A supervisor's start that dies half way: `python -m tests.local.dying ROOT POINT DESCRIPTOR`.

POINT says after what: `forked`, `recorded` or `released`. The process inherits DESCRIPTOR, so
that whoever has the other end learns when both are gone.
"""

import os
import signal
import sys
from pathlib import Path

from sweeper.local.identity import identify
from sweeper.local.journal import Journal, Started
from sweeper.local.spawning import spawn
from sweeper.local.supervisor import JOURNAL
from tests.local.supervising import Place


def main(root: Path, point: str, descriptor: int) -> None:
    """Go as far as `point`, then die."""
    place = Place(root)
    place.state.mkdir()
    os.set_inheritable(descriptor, False)
    journal = Journal.open(place.state / JOURNAL)
    gated = spawn(place.script("a", "echo ran"), [descriptor])
    if point != "forked":
        journal.append([Started(key="a", identity=identify(gated.pid))])
    if point == "released":
        gated.release()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
