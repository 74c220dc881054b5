"""`sweeper show`: everything about one trial."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sweeper.cli.options import AsJson, StateDir, Sweep, asked, print_json

if TYPE_CHECKING:
    from sweeper.bootstrap.verbs import Verbs

_POINTS = 10


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("show")(show)


def show(
    sweep: Sweep,
    trial: Annotated[int, typer.Argument(metavar="N", min=0, help="The trial's number.")],
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> int:
    """Show one trial: its params, its attempts, why it is where it is, its newest reports."""

    async def ask(verbs: "Verbs") -> dict[str, Any]:
        return await verbs.client.trial(trial)

    view = asked(sweep, "show", state_dir, ask)
    if as_json:
        print_json(view)
    else:
        typer.echo(trial_text(view))
    return 0


def trial_text(view: dict[str, Any]) -> str:
    """Return the view of a trial in words."""
    from sweeper.cli.words import field, shown

    trial, objective = view["trial"], view["objective"]
    reason = f": {shown(trial['reason'])}" if trial["reason"] else ""
    lines = [
        field("trial", str(trial["trial"])),
        field("state", f"{trial['state']}{reason}, since {trial['state_since']}"),
        field("params", shown(json.dumps(trial["params"], ensure_ascii=False))),
    ]
    if objective is not None:
        values = f"best {objective['best']:.6g}, last {objective['last']:.6g}"
        lines.append(field("value", f"{values}, {objective['reports']} reports"))
    elif trial["state"] == "completed":
        lines.append(field("value", "none was reported"))
    if trial["retry_at"]:
        lines.append(field("retry", f"due {trial['retry_at']}"))
    lines += [_attempt(submission) for submission in view["submissions"]]
    lines += [_decision(decision) for decision in view.get("decisions", [])]
    lines += [_point(point) for point in view["curve"][-_POINTS:]]
    return "\n".join(lines)


def _attempt(submission: dict[str, Any]) -> str:
    from sweeper.cli.words import duration, shown

    ended = submission["ended_at"]
    parts = [
        f"attempt {submission['attempt']}: {submission['phase']}",
        shown(submission["workload_name"]),
        f"id {submission['workload_id'] or '-'}",
        f"at work {duration(submission['running_seconds'])}",
    ]
    if submission["exit_code"] is not None:
        parts.append(f"exit code {submission['exit_code']}")
    counted = ("preemptions", "resumes")
    parts += [f"{submission[key]} {key}" for key in counted if submission[key]]
    if submission["reason"]:
        parts.append(shown(submission["reason"]))
    return f"  {', '.join(parts)}" + (f", ended {ended}" if ended else "")


def _decision(decision: dict[str, Any]) -> str:
    parts = [f"{decision['outcome']} at {decision['rung']}", f"value {decision['value']:.6g}"]
    if decision["threshold"] is not None:
        parts.append(f"threshold {decision['threshold']:.6g}")
    if decision["reached"] is not None:
        parts.append(f"{decision['reached']} got there")
    return f"  {', '.join(parts)}, {decision['rule']}, {decision['at']}"


def _point(point: dict[str, Any]) -> str:
    from sweeper.cli.words import shown

    values = ", ".join(f"{shown(name)} {value:.6g}" for name, value in point["values"].items())
    step = "-" if point["step"] is None else point["step"]
    return f"  step {step}: {values}"
