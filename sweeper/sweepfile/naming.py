"""The name that a sweep goes by, and the seed that follows from it."""

import hashlib
import re
from datetime import date
from pathlib import Path

from sweeper.errors import Fault
from sweeper.sweepfile.findings import Findings

_MOST_BYTES = 200
_REST = re.compile(r"[^A-Za-z0-9._-]+")


def read_name(
    findings: Findings, given: str | None, file: str, today: date, *, flag: str | None = None
) -> str:
    """Return the sweep's key: `flag`, else the given name, `{date}` filled in; else the file's."""
    chosen = given if flag is None else flag
    if chosen is None:
        return default_name(file)
    name = chosen.replace("{date}", today.isoformat())
    fault = _fault(name)
    if fault and flag is not None:
        findings.add(Fault(line=0, column=0, path="--name", message=fault))
    elif fault:
        findings.fault(("name",), fault)
    return name


def default_name(file: str) -> str:
    """Return the stem of the file's name and 6 digits of a hash of the path it really has."""
    stem = _REST.sub("-", Path(file).stem).strip("-.")[:_MOST_BYTES]
    try:
        resolved = str(Path(file).resolve())
    except (OSError, ValueError, RuntimeError):
        resolved = file
    digits = hashlib.sha256(resolved.encode("utf-8", "surrogateescape")).hexdigest()[:6]
    return f"{stem or 'sweep'}-{digits}"


def default_seed(name: str) -> int:
    """Return the seed of a sweep that gives none: the same for the same name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


def _fault(name: str) -> str:
    """Return what is wrong with a name, which becomes the name of a folder; "" if nothing."""
    if not name:
        return "is empty: give the sweep a name"
    if not all(each.isprintable() for each in name):
        return "holds a control character: names become names of folders, take it out"
    if "/" in name or "\\" in name:
        return "holds a slash: names become names of folders, write - instead"
    if name != name.strip() or name.startswith("."):
        return "begins with a dot, or begins or ends with a space: begin with a letter"
    if len(name.encode()) > _MOST_BYTES:
        return f"is longer than {_MOST_BYTES} bytes: shorten it"
    return ""
