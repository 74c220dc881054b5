"""Sweep files as tests write them, and what reading them says."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sweeper.domain.sweep import SweepSpec
from sweeper.errors import Fault, SweepFileError
from sweeper.sweepfile.places import Notice
from sweeper.sweepfile.reading import ReadingContext, SweepFile, parse_sweep

DATA = Path(__file__).parent.parent / "data" / "wandb" / "files"

CONTEXT = ReadingContext(today=date(2026, 3, 1), default_active_local=4)

PLAIN = """\
method: random
name: demo
program: train.py
parameters:
  lr: {min: 0.0, max: 1.0}
"""
"""A whole sweep file of five lines; what a test adds begins in line 6."""


def a_context(**fields: Any) -> ReadingContext:
    """Return the tests' context with `fields` changed."""
    return replace(CONTEXT, **fields)


def with_parameters(lines: str, method: str = "random") -> str:
    """Return a sweep file of which `lines` are the parameters, from line 4 on."""
    return f"method: {method}\nprogram: train.py\nparameters:\n{lines}\n"


def with_spec(spec: str, parameters: str = "lr: {min: 0.0, max: 1.0}") -> str:
    """Return a sweep file for Run:ai; `spec`, in flow style, stands in line 6."""
    return (
        f"method: random\nname: demo\nparameters: {{{parameters}}}\n"
        f"training:\n  project: vision\n  spec: {spec}\n"
    )


def read(text: str | bytes, context: ReadingContext = CONTEXT) -> SweepFile:
    """Return what `text` means."""
    return parse_sweep(text, "sweep.yaml", context)


def spec_of(text: str | bytes, context: ReadingContext = CONTEXT) -> SweepSpec:
    """Return the spec that `text` means."""
    return read(text, context).spec


def faults_of(text: str | bytes, context: ReadingContext = CONTEXT) -> tuple[Fault, ...]:
    """Return the faults of a text that cannot run."""
    with pytest.raises(SweepFileError) as caught:
        read(text, context)
    return caught.value.faults


def the_fault(text: str | bytes, context: ReadingContext = CONTEXT) -> Fault:
    """Return the one fault of a text that cannot run."""
    (fault,) = faults_of(text, context)
    return fault


def told(found: Fault | Notice) -> tuple[int, int, str]:
    """Return where a fault or a notice is: line, column, path."""
    return found.line, found.column, found.path
