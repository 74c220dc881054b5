"""Sweeps on Run:ai, or on this machine, that lose no trial; inside a training: `report`."""

from sweeper.reporting import report

__all__ = ["report"]
