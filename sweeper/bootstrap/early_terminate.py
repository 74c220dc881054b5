"""When poor trials are stopped early: as a plan shows it, and so that it is soon."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sweeper.domain.record import Report
from sweeper.domain.sweep import SweepSpec

HERE = 0.2
"""How many seconds after a report a tick follows on this machine, where it costs little."""

ELSEWHERE = 1.5
"""The same where a tick makes requests to a control plane."""

_SHOWN = 8


def early_terminate_view(spec: SweepSpec) -> dict[str, Any] | None:
    """Return the rule as data, None where the sweep has none."""
    early = spec.early_terminate
    if early is None:
        return None
    return {
        "type": early.rule.value,
        "action": early.action.value,
        "bands": list(early.rungs),
        "eta": early.eta,
        "strict": early.strict,
        "percentile": early.percentile,
        "min_trials": early.min_trials,
        "value": early.threshold,
        "patience": early.patience,
        "bracket": early.bracket,
    }


def early_terminate_text(view: dict[str, Any]) -> str:
    """Return what `early_terminate_view` returns on one line."""
    rungs = view["bands"]
    shown = ", ".join(map(str, rungs[:_SHOWN])) + (", …" if len(rungs) > _SHOWN else "")
    where = f"at {shown}" if rungs else f"after {view['patience']} iterations without a better one"
    return f"{view['type']} {where}; poor trials: {view['action']}"


@dataclass(slots=True, kw_only=True)
class Nudge:
    """Makes a tick come soon after a report by which trials are compared.

    Reports that come within `seconds` of the first share a tick.
    """

    objective: str | None
    wake: Callable[[], None]
    seconds: float
    _due: asyncio.TimerHandle | None = field(default=None, init=False)

    def heard(self, reports: Sequence[Report]) -> None:
        """Hear of reports that were written."""
        if self._due is None and any(self.objective in report.values for report in reports):
            self._due = asyncio.get_running_loop().call_later(self.seconds, self._fire)

    def _fire(self) -> None:
        self._due = None
        self.wake()


def nudging(spec: SweepSpec, wake: Callable[[], None], *, is_local: bool) -> Nudge | None:
    """Return what makes ticks follow reports, None where no trial is stopped early."""
    if spec.early_terminate is None or spec.objective is None:
        return None
    seconds = HERE if is_local else ELSEWHERE
    return Nudge(objective=spec.objective.name, wake=wake, seconds=seconds)
