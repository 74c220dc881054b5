"""The fields that a listing is filtered and sorted by, as what they are in the state file.

Some are columns, some follow from columns; those that nobody knows here are NULL, which passes
no test and has the same rank for all trainings.
"""

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import ColumnElement, Float, String, case, cast, func, null

from sweeper.local.places import NODE_POOL
from sweeper.local.spec_reading import priority_word, read_need, read_spec
from sweeper.local.tables import Moment, trainings

_IS_AT_REST = trainings.c.pods == "[]"
_NO_TEXT = cast(null(), String)
_NO_NUMBER = cast(null(), Float)

_PRIORITY = func.sweeper_priority(trainings.c.spec_text, type_=String)
_POOL = case(
    (_IS_AT_REST, ""), (trainings.c.node_pool == "", NODE_POOL), else_=trainings.c.node_pool
)
_GPUS = func.sweeper_gpus(trainings.c.spec_text, trainings.c.pods, type_=Float)

TEXTS: Mapping[str, ColumnElement[str]] = MappingProxyType(
    {
        "name": trainings.c.name,
        "phase": trainings.c.phase,
        "projectId": trainings.c.project_id,
        "clusterId": trainings.c.cluster_id,
        "submittedBy": trainings.c.created_by,
        "nodepool": _POOL,
        "priority": _PRIORITY,
        "priorityClassName": _PRIORITY,
        "category": _NO_TEXT,
        "distributedFramework": _NO_TEXT,
        "aiApplicationId": _NO_TEXT,
        "aiApplicationName": _NO_TEXT,
    }
)
TIMES: Mapping[str, ColumnElement[datetime]] = MappingProxyType(
    {
        "createdAt": trainings.c.created_at,
        "completedAt": trainings.c.completed_at,
        "deletedAt": trainings.c.deleted_at,
        "phaseUpdatedAt": trainings.c.phase_updated_at,
        "guaranteedRuntimeEndsAt": cast(null(), Moment),
    }
)
NUMBERS: Mapping[str, ColumnElement[float]] = MappingProxyType(
    {
        "allocatedGPU": case((_IS_AT_REST, 0.0), else_=_GPUS),
        "idleGpus": _NO_NUMBER,
        "idleAllocatedGpus": _NO_NUMBER,
        "totalPendingTimeSeconds": _NO_NUMBER,
        "totalRunningTimeSeconds": _NO_NUMBER,
    }
)
"""With `TEXTS` and `TIMES`, the fields by the API's names."""


def add_functions(raw: sqlite3.Connection) -> None:
    """Let a connection compute what follows from a spec."""
    raw.create_function("sweeper_priority", 1, _priority, deterministic=True)
    raw.create_function("sweeper_gpus", 2, _gpus, deterministic=True)


def _priority(spec_text: str | None) -> str:
    return priority_word(read_spec(spec_text))


def _gpus(spec_text: str | None, pods_text: str) -> float:
    return float(read_need(read_spec(spec_text)).gpus_of_pod * len(json.loads(pods_text)))
