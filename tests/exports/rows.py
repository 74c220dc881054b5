"""Rows of results to export."""

from typing import Any


def a_row(number: int = 0, **fields: Any) -> dict[str, Any]:
    """Return the row of a completed trial without an objective."""
    return {
        "trial": number,
        "state": "completed",
        "params": {"lr": 0.1},
        "objective": None,
        "attempts": 1,
        "reason": "",
        "duration_seconds": 61.4,
        "started_at": "2026-03-01T12:00:00Z",
        "ended_at": "2026-03-01T12:01:01Z",
        "workload_name": f"demo-{number}-1",
    } | fields
