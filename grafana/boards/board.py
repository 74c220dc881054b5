"""What all boards have alike: variables, annotations, links between them, and their layout."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    Panel,
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from grafana.boards.panels import SOURCE
from grafana.boards.queries import of_instance, of_sweep

TO_SWEEP = "/d/sweeper-sweeps?${datasource:queryparam}&${__url_time_range}&var-sweep="
"""Leads to the board of one sweep, whose name is to follow."""


Json: TypeAlias = Mapping[str, Any]
"""A board as Grafana reads it."""


class Placeable(Protocol):
    """A builder of a panel, of any kind."""

    def span(self, w: int) -> Builder[Panel]:
        """Give it a width."""
        ...


Line: TypeAlias = Sequence[tuple[int, Placeable]]
"""Panels side by side, each with its width; all widths of a line make 24."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A row of a board and its panels, line by line.

    With `repeat` there is one such section for each value of that variable.
    """

    title: str
    lines: Sequence[Line]
    repeat: str = ""


def board(uid: str, title: str, meaning: str, *sections: Section, hours: int) -> Json:
    """Return a board; its panels stand as wide as the sections say, of 24 in a line."""
    made = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(meaning)
        .tags(["sweeper"])
        .timezone("browser")
        .time(f"now-{hours}h", "now")
        .refresh("30s")
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
    )
    for variable in _variables():
        made.with_variable(variable)
    made.link(
        dashboard.DashboardLink("sweeper")
        .type(DashboardLinkType.DASHBOARDS)
        .tags(["sweeper"])
        .icon("external link")
        .include_vars(True)
        .keep_time(True)
    )
    for section in sections:
        row = dashboard.Row(section.title)
        made.with_row(row.repeat(section.repeat) if section.repeat else row)
        for line in section.lines:
            for width, panel in line:
                made.with_panel(panel.span(width))
    return _finished(made.build())


def _finished(built: Dashboard) -> Json:
    for number, panel in enumerate(built.panels or [], start=1):
        panel.id_val = number
    board: dict[str, Any] = json.loads(json.dumps(built, cls=JSONEncoder))
    board["annotations"] = {"list": _marks()}
    # The toolkit writes what older Grafanas had and what only variables of other kinds have.
    del board["style"]
    for variable in board["templating"]["list"]:
        for name in ("auto", "auto_count", "auto_min", "id"):
            del variable[name]
    for panel in board["panels"]:
        panel.get("options", {}).pop("footer", None)
    return board


def _variables() -> Sequence[Builder[VariableModel]]:
    source = dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus")
    return [
        source,
        _query("sweep", "Sweep", "label_values(sweeper_sweep_info, sweep)"),
        _query("instance", "Instance", 'label_values(sweeper_owner{sweep=~"$sweep"}, instance)'),
    ]


def _query(name: str, label: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(DataSourceRef(type_val="prometheus", uid="${datasource}"))
        .query({"query": query, "refId": "StandardVariableQuery"})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .current(VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def _marks() -> Sequence[Mapping[str, Any]]:
    lost = f"increase({of_sweep('sweeper_preemptions_total')}[30m])"
    at_work = f"avg_over_time({of_sweep('sweeper_trainings', phase='Running')}[30m])"
    # What SweeperPreemptionStorm of the alerts fires at, too.
    storm = f"{lost} > 5 and on (job, instance, sweep) {lost} > ignoring (phase) {at_work}"
    opened = f"max by (instance) ({of_instance('sweeper_api_breaker_state', state='open')}) == 1"
    # The process's own metrics are those of any program: only sweeper's have a build beside them.
    started = (
        f"1000 * (max by (instance) ({of_instance('process_start_time_seconds')})"
        f" and on (instance) {of_instance('sweeper_build_info')})"
    )
    return [
        _mark(
            "Preemption storm",
            "orange",
            storm,
            "{{sweep}}: more trainings lost their place within half an hour than run",
        ),
        _mark(
            "Breaker open",
            "red",
            opened,
            "{{instance}}: the control plane is left alone for a while",
        ),
        # Its value is itself the time to mark.
        _mark("Daemon started", "blue", started, "{{instance}}") | {"useValueForTime": "on"},
    ]


def _mark(name: str, colour: str, expr: str, text: str) -> dict[str, Any]:
    """Return an annotation; the toolkit does not know the fields that Prometheus' ones have."""
    return {
        "name": name,
        "datasource": {"type": SOURCE.type_val, "uid": SOURCE.uid},
        "enable": True,
        "hide": False,
        "iconColor": colour,
        "expr": expr,
        "step": "15s",
        "titleFormat": name,
        "textFormat": text,
    }
