"""Files that hold secrets, as a person or Kubernetes put them there."""

from pathlib import Path

from sweeper.errors import SettingsError


def require_private(file: Path, named_by: str) -> Path:
    """Return `file`, which `named_by` names, if it is there and not everybody may read it.

    A group may: that is how Kubernetes gives a mounted secret to a user that is not root.

    Raises:
        SettingsError: it is missing, or others may read it.
    """
    try:
        mode = file.stat().st_mode
    except OSError as error:
        raise SettingsError(f"{named_by}: {file}: {error.strerror}") from error
    if mode & 0o007:
        raise SettingsError(f"{named_by}: {file}: others may read it: chmod o= it")
    return file
