"""`sweeper status`: how a sweep stands."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from sweeper.cli.options import AsJson, StateDir, Sweep, asked, print_json

if TYPE_CHECKING:
    from sweeper.bootstrap.verbs import Verbs

_SHOWN = 20


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("status")(status)


def status(sweep: Sweep, state_dir: StateDir = None, as_json: AsJson = False) -> int:
    """Show how a sweep stands: trials by state, what is active, what it waits for, the best."""

    async def ask(verbs: "Verbs") -> dict[str, Any]:
        return await verbs.client.sweep()

    view = asked(sweep, "status", state_dir, ask)
    if as_json:
        print_json(view)
    else:
        typer.echo(status_text(view))
    return 0


def status_text(view: dict[str, Any]) -> str:
    """Return the view of a sweep in words, a line for each subject."""
    from sweeper.cli.words import field, shown

    sweep, trials, best = view["sweep"], view["trials"], view["best"]
    lines = [
        field("sweep", f"{shown(sweep['name'])} ({sweep['method']}, seed {sweep['seed']})"),
        field("state", _state(sweep, view["daemon"])),
        *([field("frozen", shown(sweep["frozen"]))] if sweep["frozen"] else []),
        field(
            "where", f"{shown(sweep['control_plane'])}, trials run in {shown(sweep['directory'])}"
        ),
        field("trials", _trials(trials)),
        *([field("added", _enqueued(sweep["enqueued"]))] if sweep["enqueued"] else []),
    ]
    if best is not None:
        name = sweep["objective"]["name"] if sweep["objective"] else "objective"
        lines.append(
            field("best", f"{shown(name)} {best['objective']:.6g} (trial {best['trial']})")
        )
    elif sweep["objective"] and trials["states"].get("completed"):
        name = shown(sweep["objective"]["name"])
        lines.append(field("best", f"none: no trial has reported {name}"))
    if view["daemon"] is not None:
        lines.append(field("daemon", _daemon(view["daemon"])))
    lines += [_live(trial, view["at"]) for trial in view["live"][:_SHOWN]]
    if view["live_count"] > _SHOWN:
        lines.append(f"  … and {view['live_count'] - _SHOWN} more")
    return "\n".join(lines)


def _state(sweep: dict[str, Any], daemon: dict[str, Any] | None) -> str:
    from sweeper.cli.words import shown

    reason = f": {shown(sweep['stop_reason'])}" if sweep["stop_reason"] else ""
    over = sweep["ended_at"] is not None
    return f"{sweep['state']}{reason}{'' if over or daemon else ' (no daemon runs it)'}"


def _trials(trials: dict[str, Any]) -> str:
    planned = "unbounded" if trials["planned"] is None else f"{trials['planned']} planned"
    counts = [f"{count} {state}" for state, count in trials["states"].items() if count]
    if trials["waiting"]:
        counts.insert(0, f"{trials['waiting']} waiting")
    return f"{planned}: {', '.join(counts) or 'none yet'}"


def _enqueued(points: list[dict[str, Any]]) -> str:
    numbers = [str(point["trial"]) for point in points[-_SHOWN:]]
    more = f", and {len(points) - _SHOWN} before" if len(points) > _SHOWN else ""
    return f"trial {', '.join(numbers)}{more}"


def _daemon(daemon: dict[str, Any]) -> str:
    from sweeper.cli.words import shown

    age = daemon["observation_age_seconds"]
    seen = "nothing observed yet" if age is None else f"observed {age:.0f} s ago"
    trouble = f"; {shown(daemon['trouble'])}" if daemon["trouble"] else ""
    return f"running, {seen}{trouble}"


def _live(trial: dict[str, Any], now: str) -> str:
    from sweeper.cli.words import duration, shown

    since = trial["phase_since"] or trial["state_since"]
    age = datetime.fromisoformat(now) - datetime.fromisoformat(since)
    reason = f"  {shown(trial['reason'])}" if trial["reason"] else ""
    return (
        f"  trial {trial['trial']:>5}  {trial['state']:<11} {trial['phase']:<12} "
        f"{duration(age.total_seconds()):>8}{reason}"
    )
