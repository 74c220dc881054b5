"""The reference of the metrics, in Markdown, from the catalogue."""

from collections.abc import Iterator

from sweeper.telemetry.catalogue import CATALOGUE, Family, Kind, Part

_OF_HISTOGRAM = ("_bucket", "_sum", "_count")


def series_names(family: Family) -> tuple[str, ...]:
    """Return the names that queries use: those of the series that a scrape holds."""
    if family.kind is Kind.HISTOGRAM:
        return tuple(f"{family.name}{suffix}" for suffix in _OF_HISTOGRAM)
    return (family.name,)


def metrics_reference() -> str:
    """Return all families as Markdown tables, one for each part, ending in a line end."""
    return "\n".join(_sections()) + "\n"


def metrics_list() -> str:
    """Return the names of all families as a Markdown list, one line a part."""
    lines = []
    for part in Part:
        names = ", ".join(f"`{family.name}`" for family in CATALOGUE if family.part is part)
        lines.append(f"- {part}: {names}")
    return "\n".join(lines) + "\n"


def _sections() -> Iterator[str]:
    for place, part in enumerate(Part):
        if place:
            yield ""
        yield f"### {part}"
        yield ""
        yield "| Series | Type | Labels | Meaning |"
        yield "|---|---|---|---|"
        yield from (_line(family) for family in CATALOGUE if family.part is part)


def _line(family: Family) -> str:
    names = "<br>".join(f"`{name}`" for name in series_names(family))
    labels = ", ".join(f"`{label}`" for label in family.labels)
    return f"| {names} | {family.kind} | {labels} | {family.help} |"
