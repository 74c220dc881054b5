"""What is done with the bytes of a file that people write; each raises only where we are wrong."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sweeper.bootstrap.attempts import rehearsal
from sweeper.bootstrap.reading import expand
from sweeper.domain.rendering import render
from sweeper.domain.sweep import SweepSpec
from sweeper.domain.values import Params
from sweeper.errors import RenderingError, SettingsError, SweepFileError
from sweeper.local.configuration import parse_configuration
from sweeper.local.faults.plan import parse_plan
from sweeper.local.yaml_files import PlaneFileError
from sweeper.settings import Settings, load_settings
from tests.sweepfile.files import a_context, read

MOST_FAULTS = 200
"""Faults that a file is told of at most; whoever gets more of them reads none."""

LONGEST_MESSAGE = 4_000
"""Characters of one message about a file, however long what it speaks of."""

VARIABLES = {str(field.validation_alias) for field in Settings.model_fields.values()}

_SCRATCH = Path(tempfile.mkdtemp(prefix="fuzz-"))
atexit.register(shutil.rmtree, _SCRATCH, ignore_errors=True)


def sweep_file(data: bytes) -> None:
    """Read a sweep file and render its first trial on both sides."""
    context = a_context(local=data[:1] == b"\n", strict=data[:2] == b"\n\n")
    try:
        file = read(data, context)
        expansion = expand(file)
    except SweepFileError as error:
        _legible(str(error), [fault.message for fault in error.faults])
        return
    if expansion.planned != 0:
        for is_local in (True, False):
            _render(file.spec, expansion.params(0), is_local=is_local)


def settings(data: bytes) -> None:
    """Read settings: NAME=TEXT lines up to an empty one are the environment, the rest the file."""
    head, _, content = data.partition(b"\n\n")
    pairs = [line.partition(b"=") for line in head.split(b"\n")]
    given = {
        os.fsdecode(name): os.fsdecode(text)
        for name, _, text in pairs
        if os.fsdecode(name) in VARIABLES and b"\0" not in text
    }
    file = _SCRATCH / "settings.toml"
    file.write_bytes(content)
    with _environment({**given, "SWEEPER_SETTINGS": str(file)}):
        try:
            load_settings()
        except SettingsError as error:
            _legible(str(error), [str(error)])


def fault_plan(data: bytes) -> None:
    """Read a plan of faults for the local control plane."""
    try:
        parse_plan(data, "plan.yaml")
    except PlaneFileError as error:
        _legible(str(error), [fault.message for fault in error.faults])


def configuration(data: bytes) -> None:
    """Read what the local control plane has, and build it."""
    try:
        parse_configuration(data, "local.yaml").nodes_with(())
    except PlaneFileError as error:
        _legible(str(error), [fault.message for fault in error.faults])


def _render(spec: SweepSpec, params: Params, *, is_local: bool) -> None:
    try:
        rendered = render(spec, rehearsal(spec, is_local=is_local), 0, 1, params)
    except RenderingError as error:
        _legible(str(error), [str(error)])
        return
    assert len(rendered.name) <= 50


def _legible(text: str, messages: list[str]) -> None:
    """Check that a person can be told: something, not too much, nothing that moves a cursor."""
    assert messages
    assert len(messages) <= MOST_FAULTS
    for message in messages:
        assert message
        assert len(message) <= LONGEST_MESSAGE, len(message)
        assert message.isprintable(), message
    assert text.replace("\n", "").isprintable(), text


@contextmanager
def _environment(given: Mapping[str, str]) -> Iterator[None]:
    kept = dict(os.environ)
    for name in VARIABLES:
        os.environ.pop(name, None)
    os.environ.update(given)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)
