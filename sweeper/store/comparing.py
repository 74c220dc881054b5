"""Read how trials compare at the rungs where early stopping looks at them."""

from collections.abc import Callable

from sqlalchemy import BindParameter, Connection, and_, bindparam, func, select

from sweeper.domain.record import Comparison, RungPlace
from sweeper.store.judging import rung_keys
from sweeper.store.reading import MOST
from sweeper.store.rows import OBJECTIVE_COLUMNS, objective_of
from sweeper.store.tables import objectives, rungs, trials

_SWEEP: BindParameter[str] = bindparam("sweep")
_PROGRESS = (
    select(trials.c.number, *OBJECTIVE_COLUMNS)
    .select_from(
        trials.join(
            objectives,
            and_(objectives.c.sweep_id == trials.c.sweep_id, objectives.c.trial == trials.c.number),
        )
    )
    .where(trials.c.sweep_id == _SWEEP, trials.c.is_live.is_(True))
)
_AT_RUNG = (
    rungs.c.sweep_id == _SWEEP,
    rungs.c.rung == bindparam("rung"),
    rungs.c.trial >= bindparam("first"),
    rungs.c.trial < bindparam("end"),
)
_REACHED = select(func.count()).select_from(rungs).where(*_AT_RUNG)
_PLACED = (
    select(rungs.c.trial, rungs.c.value)
    .where(*_AT_RUNG)
    .order_by(rungs.c.rank, rungs.c.trial)
    .limit(1)
    .offset(bindparam("place"))
)


def comparison(
    connection: Connection,
    sweep_id: str,
    place: Callable[[int], int | None],
    bracket: int | None,
) -> Comparison:
    """Return how the trials that are not settled stand at the rung that each got to last."""
    rows = connection.execute(_PROGRESS, {"sweep": sweep_id})
    progress = {number: objective_of(tuple(values)) for number, *values in rows}
    keys = rung_keys(progress, bracket)
    return Comparison(
        progress=progress,
        places={key: _placed(connection, sweep_id, key, place, bracket) for key in keys},
    )


def _placed(
    connection: Connection,
    sweep_id: str,
    key: tuple[int, int],
    place: Callable[[int], int | None],
    bracket: int | None,
) -> RungPlace:
    rung, at = key
    bound = {
        "sweep": sweep_id,
        "rung": rung,
        "first": at * bracket if bracket else 0,
        "end": min((at + 1) * bracket, MOST) if bracket else MOST,
    }
    reached = connection.scalars(_REACHED, bound).one()
    wanted = place(reached)
    if wanted is None:
        return RungPlace(reached=reached)
    found = connection.execute(_PLACED, bound | {"place": wanted}).one_or_none()
    if found is None:
        return RungPlace(reached=reached)
    return RungPlace(reached=reached, trial=found[0], value=found[1])
