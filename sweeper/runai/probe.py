"""A first look at a control plane: one tiny training taken through its life, step by step.

Every step is bounded in time and ends in a finding, whatever the other side answers; what cannot
be tried for want of an earlier step is skipped. However it ends, what it made is taken away.
"""

from collections.abc import Sequence

from sweeper.ports import Now
from sweeper.runai.capabilities import Capabilities
from sweeper.runai.findings import Finding, Heard, Tell, Verdict
from sweeper.runai.opening import Connection
from sweeper.runai.probe_entrance import Entrance
from sweeper.runai.probe_life import Life
from sweeper.runai.probe_training import ProbeTraining
from sweeper.runai.probing import Learned, ProbeOrder, take


class Probe:
    """Probes one control plane, once; `heard` must be the observer of `connection`.

    `tell` hears of each finding as it is made.
    """

    def __init__(
        self, connection: Connection, order: ProbeOrder, *, heard: Heard, now: Now, tell: Tell
    ) -> None:
        self._connection = connection
        self._order = order
        self._heard = heard
        self._hear = tell
        self._learned = Learned(capabilities=Capabilities(probed_at=now()))
        self._findings: list[Finding] = []

    @property
    def findings(self) -> Sequence[Finding]:
        """What was found so far, in the order of the steps."""
        return tuple(self._findings)

    @property
    def capabilities(self) -> Capabilities:
        """How the control plane behaves, as far as that was found out."""
        return self._learned.capabilities

    @property
    def is_well(self) -> bool:
        """Whether nothing is missing."""
        return all(one.verdict is not Verdict.MISSING for one in self._findings)

    async def run(self) -> None:
        """Take all steps; cancelled, it cleans up before it ends, within a bounded time.

        Raises:
            SettingsError: the project is named by an id that cannot be one.
        """
        entrance = Entrance(self._connection, self._order, self._heard, self._learned)
        await take(entrance.steps(), self._heard, self._tell)
        if not entrance.is_open:
            return
        plane = self._connection.control_plane(entrance.project_id)
        training = ProbeTraining(
            plane,
            project_id=entrance.project_id,
            cluster_id=entrance.cluster_id,
            image=self._order.image,
            mark=self._order.mark,
        )
        life = Life(self._connection.make, plane, training, self._heard, self._learned)
        keep = self._order.keep
        try:
            await take(life.steps(keep=keep), self._heard, self._tell, training.look)
        finally:
            last = await life.clean_up(keep=keep)
            if last is not None:
                self._tell(last)

    def _tell(self, finding: Finding) -> None:
        self._findings.append(finding)
        self._hear(finding)
