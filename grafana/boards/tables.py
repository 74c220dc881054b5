"""Tables with one row for each sweep, training or daemon, made of one query a column."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common, table
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.boards.panels import PLAIN, SOURCE, Query, Steps, target, thresholds


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: the value of a query, or a label that a query brings along.

    Exactly one of `expr` and `label` is given. `link` is where a click on a cell leads.
    """

    title: str
    expr: str = ""
    label: str = ""
    unit: str = "none"
    steps: Steps = PLAIN
    width: int = 0
    as_bar: bool = False
    link: str = ""


def rows(
    title: str,
    meaning: str,
    *columns: Column,
    sort: str,
    falling: bool = False,
    also: Sequence[str] = (),
) -> table.Panel:
    """Return a table with a row for each set of labels that the queries have in common.

    `also` are queries that only bring labels along; their values are not shown.
    """
    panel = (
        table.Panel()
        .title(title)
        .description(meaning)
        .datasource(SOURCE)
        .unit("none")
        .thresholds(thresholds(PLAIN))
        .no_value("-")
        .cell_height(shapes.TableCellHeight.SM)
        .sort_by([common.TableSortByFieldState().display_name(sort).desc(falling)])
        .height(9)
    )
    asked = [*(column.expr for column in columns if column.expr), *also]
    for number, expr in enumerate(asked):
        query = Query(expr)
        panel.with_target(target(query, number, PromQueryFormat.TABLE, instant=True))
    fields = {expr: _field(number, len(asked)) for number, expr in enumerate(asked)}
    named = {column.label or fields[column.expr]: column.title for column in columns}
    panel.with_transformation(DataTransformerConfig(id_val="merge", options={}))
    panel.with_transformation(
        DataTransformerConfig(
            id_val="organize",
            options={
                "excludeByName": dict.fromkeys(["Time", *(fields[expr] for expr in also)], True),
                "indexByName": {field: place for place, field in enumerate(named)},
                "renameByName": named,
            },
        )
    )
    for column in columns:
        panel.override_by_name(column.title, list(_cell(column)))
    return panel


def _field(number: int, count: int) -> str:
    """Return the name that Grafana gives the values of a query."""
    return "Value" if count == 1 else f"Value #{chr(ord('A') + number)}"


def _cell(column: Column) -> list[DynamicConfigValue]:
    properties: list[tuple[str, object]] = [("unit", column.unit)]
    if column.steps is not PLAIN:
        steps = [{"value": least, "color": colour} for least, colour in column.steps]
        mode = str(ThresholdsMode.ABSOLUTE)
        properties.append(("thresholds", {"mode": mode, "steps": steps}))
        properties.append(("color", {"mode": "thresholds"}))
    if column.as_bar:
        properties += [("min", 0), ("max", 1)]
        properties.append(("custom.cellOptions", {"type": "gauge", "mode": "basic"}))
    elif column.steps is not PLAIN:
        properties.append(("custom.cellOptions", {"type": "color-text"}))
    if column.width:
        properties.append(("custom.width", column.width))
    if column.link:
        title = "Show this sweep alone"
        properties.append(("links", [{"title": title, "url": column.link, "targetBlank": False}]))
    return [DynamicConfigValue(id_val=name, value=value) for name, value in properties]
