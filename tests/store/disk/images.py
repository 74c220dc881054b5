"""What a disk may hold after the power was cut: all that was synced, and some of the rest.

Unsynced writes are kept or lost sector by sector, each sector on its own (so that writes are torn
and change their order), and so are files made, cut and deleted whose folder was not synced. A
folder is synced when a log or journal that was made in it is synced for the first time: SQLite does
so on Linux, which its interface to file systems does not show.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.store.disk.recording import Acknowledged, Act, Cut, Deleted, Made, Synced, Written

SECTOR = 512


@dataclass(slots=True)
class _File:
    synced: bytearray = field(default_factory=bytearray)
    open_acts: list[Written | Cut] = field(default_factory=list)

    def sync(self) -> None:
        for act in self.open_acts:
            _apply(self.synced, act)
        self.open_acts.clear()

    def after_loss(self, rng: random.Random) -> bytes:
        content = bytearray(self.synced)
        # Cuts are the file system's own and keep their order; sectors are the disk's.
        share = rng.random()
        for act in self.open_acts:
            if isinstance(act, Cut):
                if rng.random() < share:
                    _apply(content, act)
                continue
            for start in range(0, len(act.content), SECTOR):
                if rng.random() < share:
                    piece = act.content[start : start + SECTOR]
                    _apply(content, Written(act.name, act.offset + start, piece))
        return bytes(content)


class Disk:
    """Follows acts one by one; at any time it tells what the loss of power would leave."""

    def __init__(self) -> None:
        self.acknowledged = 0
        self._files: dict[str, _File] = {}
        self._in_folder: dict[str, _File] = {}

    def follow(self, act: Act) -> None:
        """Let one act happen."""
        match act:
            case Acknowledged():
                self.acknowledged += 1
            case Made(name=name):
                self._files[name] = _File()
            case Written() | Cut():
                self._files[act.name].open_acts.append(act)
            case Synced(name=name):
                self._files[name].sync()
                if (
                    name.endswith(("-wal", "-journal"))
                    and self._in_folder.get(name) is not self._files[name]
                ):
                    self._sync_folder()
            case Deleted(name=name, for_good=for_good):
                self._files.pop(name, None)
                if for_good:
                    self._sync_folder()

    def after_loss(self, rng: random.Random) -> Mapping[str, bytes]:
        """Return the content of each file as it may be after a loss of power right now."""
        names = self._files.keys() | self._in_folder.keys()
        left: dict[str, bytes] = {}
        for name in sorted(names):
            file, kept = self._files.get(name), self._in_folder.get(name)
            chosen = file if file is kept or rng.random() < 0.5 else kept
            if chosen is not None:
                left[name] = chosen.after_loss(rng)
        return left

    def _sync_folder(self) -> None:
        self._in_folder = dict(self._files)


def losses(acts: Sequence[Act], count: int, seed: int) -> list[tuple[int, Mapping[str, bytes]]]:
    """Return `count` images at moments drawn from all, each with how much was acknowledged."""
    rng = random.Random(seed)
    moments = sorted(rng.choices(range(1, len(acts) + 1), k=count))
    disk, done = Disk(), 0
    images = []
    for moment in moments:
        for act in acts[done:moment]:
            disk.follow(act)
        done = moment
        images.append((disk.acknowledged, disk.after_loss(rng)))
    return images


def _apply(content: bytearray, act: Written | Cut) -> None:
    if isinstance(act, Cut):
        del content[act.size :]
        content.extend(bytes(act.size - len(content)))
        return
    end = act.offset + len(act.content)
    content.extend(bytes(max(0, end - len(content))))
    content[act.offset : end] = act.content
