"""The life of one daemon process: where it dies, and what the world may see of its store.

Only the moment before an effect matters: a write of the store, a request. What a process
remembers ends with it, so after one effect is before the next.
"""

import random
from typing import Any

from sweeper.domain.trial import Submission
from sweeper.ports import Store
from tests.simulation.answering import Asked
from tests.simulation.server import trial_of
from tests.support.crashing import Crash


class Life:
    """One daemon's life. `number` counts them from 1; `deaths` draws how it ends.

    `kills` is the probability of each effect to be its last, `late` that of a request on its lips
    to arrive all the same.
    """

    def __init__(
        self,
        number: int = 0,
        store: Store | None = None,
        deaths: random.Random | None = None,
        kills: float = 0.0,
        late: float = 0.0,
    ) -> None:
        self.number = number
        self.late = late
        self.kills = kills
        self.is_over = False
        self._store = store
        self._deaths = deaths or random.Random(0)

    def come_to(self, effect: str) -> None:
        """Come to the point before an effect; die if it is the last."""
        if self.is_over or (self.kills and self._deaths.random() < self.kills):
            self.is_over = True
            raise Crash(effect)

    async def intended(self, asked: Asked) -> bool:
        """Return whether the store holds the intent of a write."""
        if not asked.writes or self._store is None:
            return True
        if asked.operation == "create":
            submissions = await self._store.submissions(trial_of(asked.about))
            return bool(submissions) and _is_meant(submissions[-1], asked.about)
        trials = await self._store.live_trials()
        newest = (trial.submission for trial in trials)
        return any(
            _marks(one)[asked.operation] is not None
            for one in newest
            if one.workload_id == asked.about
        )


def _is_meant(submission: Submission, name: str) -> bool:
    return submission.workload_name == name and submission.sent_at is not None


def _marks(submission: Submission) -> dict[str, Any]:
    return {
        "suspend": submission.suspend_sent_at,
        "resume": submission.resume_sent_at,
        "delete": submission.delete_sent_at,
    }
