"""People outside, as a notifier reaches them: they remember what they were told."""

import asyncio
from dataclasses import dataclass, field

from sweeper.domain.outbox import Notice, notice_id
from sweeper.domain.record import SweepRecord
from sweeper.errors import NoticeError


@dataclass(slots=True)
class Told:
    """A notifier. While it is `down` nothing gets through; some texts make it hang or break.

    Texts in `gone` are for nobody who is there any more.
    """

    texts: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    tries: int = 0
    down: bool = False
    retry_after: float | None = None
    hangs: set[str] = field(default_factory=set)
    breaks: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)

    async def send(self, sweep: SweepRecord, notice: Notice) -> None:
        """Hear a notice."""
        self.tries += 1
        if notice.text in self.hangs:
            await asyncio.Event().wait()
        if notice.text in self.breaks:
            raise ZeroDivisionError
        if notice.text in self.gone:
            raise NoticeError("no such receiver", for_good=True)
        if self.down:
            raise NoticeError("503", retry_after=self.retry_after)
        self.texts.append(notice.text)
        self.ids.append(notice_id(sweep.id, notice))
