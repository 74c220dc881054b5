"""The few kinds of panels that all boards are made of, so that they look and behave alike."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grafana_foundation_sdk.builders import (
    common,
    dashboard,
    gauge,
    prometheus,
    stat,
    statetimeline,
    timeseries,
)
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")

Steps = Sequence[tuple[float | None, str]]
"""Colours by the least value that has them; the first one, at None, is for all below."""

PLAIN: Steps = ((None, "blue"),)
"""For what is neither good nor bad."""

COLOURS: Mapping[str, str] = {
    "completed": "green",
    "pruned": "super-light-green",
    "failed": "red",
    "cancelled": "semi-dark-orange",
    "active": "blue",
    "interrupted": "yellow",
    "held": "purple",
    "parked": "light-purple",
    "promoted": "green",
    "kept": "blue",
    "waiting": "#6e7079",
    "running": "blue",
    "queued": "orange",
    "starting": "light-blue",
    "leaving": "yellow",
    "stopped": "purple",
    "unclear": "#8e8e8e",
    "limit": "red",
    "useful": "green",
    "lost": "red",
    "waiting to run": "orange",
    "half within": "light-blue",
    "nine of ten within": "blue",
    "19 of 20 within": "blue",
    "99 of 100 within": "purple",
    "preempted": "orange",
    "oldest now": "orange",
}
"""One colour for one meaning, on every board."""


@dataclass(frozen=True)
class Query:
    """One query of a panel: `legend` names its series, and `colours` those of some of them.

    Where the legend has a label in it, `colours` are by that label's value.
    """

    expr: str
    legend: str = "__auto"
    colours: Mapping[str, str] = field(default_factory=dict)

    @property
    def fixed(self) -> Mapping[str, str]:
        """The colours that names of series have."""
        if self.legend in COLOURS:
            return {self.legend: COLOURS[self.legend]}
        return {
            re.sub(r"{{\w+}}", value, self.legend): colour for value, colour in self.colours.items()
        }


def tile(
    title: str,
    meaning: str,
    *queries: Query,
    unit: str,
    steps: Steps = PLAIN,
    now: bool = False,
    none: str = "-",
) -> stat.Panel:
    """Return a large number, coloured by its steps.

    With `now` it is the value of this moment, and `none` when there is none; otherwise it is the
    last value within the time shown.
    """
    panel = (
        stat.Panel()
        .color_mode(
            shapes.BigValueColorMode.VALUE
            if steps is PLAIN
            else shapes.BigValueColorMode.BACKGROUND
        )
        .graph_mode(
            shapes.BigValueGraphMode.NONE
            if now or len(queries) > 1
            else shapes.BigValueGraphMode.AREA
        )
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .text_mode(
            shapes.BigValueTextMode.VALUE_AND_NAME
            if len(queries) > 1
            else shapes.BigValueTextMode.VALUE
        )
        .title(title)
        .description(meaning)
        .datasource(SOURCE)
        .unit(unit)
        .thresholds(thresholds(steps))
        .no_value(none)
        .height(4)
    )
    for number, query in enumerate(queries):
        panel.with_target(_series(query, number, instant=now))
    return panel


def dial(title: str, meaning: str, query: Query) -> gauge.Panel:
    """Return a share of 1 as a dial, green once it is whole."""
    return (
        gauge.Panel()
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .title(title)
        .description(meaning)
        .datasource(SOURCE)
        .unit("percentunit")
        .min(0)
        .max(1)
        .thresholds(thresholds(((None, "blue"), (1, "green"))))
        .no_value("unbounded")
        .height(4)
        .with_target(_series(query, 0))
    )


def lines(
    title: str,
    meaning: str,
    *queries: Query,
    unit: str,
    steps: Steps = PLAIN,
    from_zero: bool = True,
) -> timeseries.Panel:
    """Return lines over time; steps beyond the first are drawn as dashed lines."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(meaning)
        .datasource(SOURCE)
        .unit(unit)
        .thresholds(thresholds(steps))
        .thresholds_style(
            common.GraphThresholdsStyleConfig().mode(
                shapes.GraphTresholdsStyleMode.DASHED
                if len(steps) > 1
                else shapes.GraphTresholdsStyleMode.OFF
            )
        )
        .line_width(2)
        .fill_opacity(0 if len(queries) > 1 or "{{" in queries[0].legend else 10)
        .show_points(shapes.VisibilityMode.NEVER)
        .span_nulls(False)
        .legend(
            common.VizLegendOptions()
            .display_mode(shapes.LegendDisplayMode.LIST)
            .placement(shapes.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs(["lastNotNull"])
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(shapes.TooltipDisplayMode.MULTI)
            .sort(shapes.SortOrder.DESCENDING)
        )
        .height(8)
    )
    if from_zero:
        panel.min(0)
    for number, query in enumerate(queries):
        panel.with_target(_series(query, number))
        for name, colour in query.fixed.items():
            panel.override_by_name(name, [_fixed(colour)])
    return panel


def stacked(
    title: str, meaning: str, *queries: Query, unit: str, steps: Steps = PLAIN
) -> timeseries.Panel:
    """Return areas over time, one on the other in the order of the queries."""
    return (
        lines(title, meaning, *queries, unit=unit, steps=steps)
        .stacking(common.StackingConfig().mode(shapes.StackingMode.NORMAL).group("A"))
        .fill_opacity(65)
        .line_width(0)
    )


def above(panel: timeseries.Panel, query: Query) -> timeseries.Panel:
    """Add a dashed line to a stacked panel that stands on nothing."""
    count = len(panel.build().targets or [])
    panel.with_target(_series(query, count))
    return panel.override_by_name(
        query.legend,
        [
            _fixed(COLOURS[query.legend]),
            DynamicConfigValue(id_val="custom.stacking", value={"mode": "none", "group": "B"}),
            DynamicConfigValue(id_val="custom.fillOpacity", value=0),
            DynamicConfigValue(id_val="custom.lineWidth", value=2),
            DynamicConfigValue(id_val="custom.lineStyle", value={"fill": "dash", "dash": [10, 10]}),
        ],
    )


def band(
    title: str, meaning: str, query: Query, values: Mapping[int, tuple[str, str]]
) -> statetimeline.Panel:
    """Return when which of a few states held; `values` gives each its name and colour."""
    steps: Steps = [
        (None if value == 0 else value, colour) for value, (_, colour) in sorted(values.items())
    ]
    return (
        statetimeline.Panel()
        .title(title)
        .description(meaning)
        .datasource(SOURCE)
        .unit("none")
        .mappings([_named(values)])
        .thresholds(thresholds(steps))
        .show_value(shapes.VisibilityMode.NEVER)
        .merge_values(True)
        .line_width(0)
        .fill_opacity(80)
        .legend(
            common.VizLegendOptions()
            .display_mode(shapes.LegendDisplayMode.LIST)
            .placement(shapes.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .height(8)
        .with_target(_series(query, 0))
    )


def named(panel: stat.Panel, values: Mapping[int, tuple[str, str]]) -> stat.Panel:
    """Let a tile say a word for each of a few values."""
    return panel.mappings([_named(values)])


def target(
    query: Query, number: int, form: PromQueryFormat, *, instant: bool
) -> prometheus.Dataquery:
    """Return what a panel asks for first (0), second (1) and so on."""
    asked = (
        prometheus.Dataquery()
        .expr(query.expr)
        .legend_format(query.legend)
        .format(form)
        .datasource(SOURCE)
        .ref_id(chr(ord("A") + number))
    )
    return asked.instant() if instant else asked.range()


def thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    """Return steps as Grafana has them."""
    return (
        dashboard.ThresholdsConfig()
        .mode(ThresholdsMode.ABSOLUTE)
        .steps([Threshold(value=least, color=colour) for least, colour in steps])
    )


def _series(query: Query, number: int, *, instant: bool = False) -> prometheus.Dataquery:
    return target(query, number, PromQueryFormat.TIME_SERIES, instant=instant)


def _fixed(colour: str) -> DynamicConfigValue:
    value = {"mode": str(FieldColorModeId.FIXED), "fixedColor": colour}
    return DynamicConfigValue(id_val="color", value=value)


def _named(values: Mapping[int, tuple[str, str]]) -> ValueMap:
    return ValueMap(
        options={
            str(value): ValueMappingResult(text=name, color=colour, index=index)
            for index, (value, (name, colour)) in enumerate(sorted(values.items()))
        }
    )
