"""Where it is written down how control planes behave: a file for each base URL.

They lie in `<state>/control-planes`. A file that cannot be read counts as none: what is in it was
found by a probe, and another probe finds it again.
"""

import hashlib
import logging
from pathlib import Path

from sweeper.bootstrap.folders import private_folder, state_dir, write_json
from sweeper.domain.expansion import slug
from sweeper.errors import SettingsError
from sweeper.runai.capabilities import Capabilities, read_capabilities
from sweeper.settings import Settings
from sweeper.wire.reading import read_json

_log = logging.getLogger(__name__)

_MAX_BYTES = 64 * 1024


def capabilities_file(settings: Settings, base_url: str) -> Path:
    """Return the file about the control plane at `base_url`, which need not exist."""
    digest = hashlib.sha256(base_url.encode()).hexdigest()[:8]
    host = slug(base_url.partition("://")[2])
    return state_dir(settings) / "control-planes" / f"{host}-{digest}.json"


def load_capabilities(settings: Settings, base_url: str) -> Capabilities:
    """Return what is known of the control plane at `base_url`; nothing where none was probed."""
    path = capabilities_file(settings, base_url)
    try:
        with path.open("rb") as file:
            return read_capabilities(read_json(file.read(_MAX_BYTES)))
    except FileNotFoundError:
        return Capabilities()
    except (OSError, ValueError) as error:
        _log.warning("%s cannot be read (%s): run sweeper probe again", path, error)
        return Capabilities()


def save_capabilities(settings: Settings, base_url: str, found: Capabilities) -> Path:
    """Write down what a probe found, in place of what an earlier one did; return the file.

    Raises:
        SettingsError: it cannot be written.
    """
    path = capabilities_file(settings, base_url)
    try:
        private_folder(path.parent)
        write_json(path, {"base_url": base_url, **found.as_json()})
    except OSError as error:
        raise SettingsError(
            f"the state directory cannot be written: {path}: {error.strerror}; "
            "name another with --state-dir"
        ) from error
    return path
