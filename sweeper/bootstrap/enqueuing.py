"""Ask a sweep for trials of points that a person gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper.bootstrap.verbs import Verbs
from sweeper.domain.record import SweepState
from sweeper.domain.values import Params
from sweeper.errors import SettingsError
from sweeper.sweepfile.added import GivenPoint, read_added

_GIVEN_UP = frozenset({SweepState.CANCELLED, SweepState.CANCELLING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueued:
    """What was asked for: the points with the numbers of their wishes; and what to say of them."""

    sweep: str
    has_daemon: bool
    points: Sequence[tuple[int, Params]]
    warnings: Sequence[str]


def given_points(texts: Sequence[str], file: Path | None) -> Sequence[GivenPoint]:
    """Return the points of the command line, then those of a file of JSON lines.

    Raises:
        SettingsError: there is none, or the file cannot be read.
    """
    given = [GivenPoint(text=text, source="--params") for text in texts]
    if file is not None:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:
            raise SettingsError(f"{file}: cannot be read: {error}") from error
        given += [
            GivenPoint(text=line, source=str(file), line=number)
            for number, line in enumerate(lines, start=1)
            if line.strip()
        ]
    if not given:
        raise SettingsError("enqueue: say what to try: --params '{\"lr\": 0.1}', or --file FILE")
    return given


async def enqueue(verbs: Verbs, given: Sequence[GivenPoint]) -> Enqueued:
    """Check points against the search space of a sweep, and write down that they are wanted.

    Raises:
        SettingsError: some cannot be tried, or the sweep was given up; nothing is written then.
    """
    client = verbs.client
    view = await client.sweep()
    if view["sweep"]["state"] in _GIVEN_UP:
        raise SettingsError(
            f"sweep {verbs.folder.name} was cancelled: it starts no trial any more; "
            "run its file under another --name"
        )
    added = read_added(await client.definition(), given)
    return Enqueued(
        sweep=verbs.folder.name,
        has_daemon=verbs.has_daemon,
        points=[(await client.wish("enqueue", params=one), one) for one in added.points],
        warnings=added.warnings,
    )
