"""The environment that trainings on this machine inherit."""

import os
from collections.abc import Mapping

SECRET_VARIABLES = ("RUNAI_CLIENT_SECRET", "SWEEPER_NOTIFY_URL")
"""What trainings on this machine must not inherit."""


def child_environment() -> Mapping[str, str]:
    """Return the environment that local trainings inherit: the daemon's, without its secrets."""
    return {key: value for key, value in os.environ.items() if key not in SECRET_VARIABLES}
