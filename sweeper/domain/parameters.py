"""The kinds of parameter a search space is made of: one class for each W&B distribution."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSpace:
    """All parameter domains of a sweep."""
