"""How sweeper runs, apart from what a sweep means: flag > environment > settings file > default.

Secrets come from the environment or from files, never from flags, and are shown nowhere.
"""

import os
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from sweeper.errors import SettingsError

DEFAULT_LISTEN = "127.0.0.1:9464"


class LogFormat(StrEnum):
    """How log lines look."""

    TEXT = "text"
    JSON = "json"


class TokenVersion(StrEnum):
    """Which token endpoint of Run:ai is asked."""

    AUTO = "auto"
    V1 = "v1"
    V2 = "v2"


def _blank_is_absent(value: object) -> object:
    """Read an empty variable as one that is not set, as container tools write them."""
    return None if isinstance(value, str) and not value.strip() else value


def _env(*names: str) -> AliasChoices:
    return AliasChoices(*names)


Optional = BeforeValidator(_blank_is_absent)


class Settings(BaseSettings):
    """All settings; each may be given as a flag of the verb that uses it."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    state_dir: Annotated[Path | None, Optional] = Field(
        default=None, validation_alias=_env("SWEEPER_STATE_DIR", "state_dir")
    )
    """Where sweeps are kept. Default: `$XDG_STATE_HOME/sweeper`, else `~/.local/state/sweeper`."""

    listen: Annotated[str | None, Optional] = Field(
        default=None, validation_alias=_env("SWEEPER_LISTEN", "listen")
    )
    """HOST:PORT of /metrics, /healthz and /readyz; port 0 takes a free one.

    Default: 127.0.0.1:9464; that one being taken is a warning, one asked for being taken is not.
    """

    log_format: LogFormat = Field(
        default=LogFormat.TEXT, validation_alias=_env("SWEEPER_LOG_FORMAT", "log_format")
    )
    """`text` for people, `json` for machines."""

    log_level: str = Field(
        default="INFO",
        validation_alias=_env("SWEEPER_LOG_LEVEL", "log_level"),
        pattern="(?i)^(debug|info|warning|error)$",
    )
    """The least severe level that is written: debug, info, warning or error."""

    base_url: Annotated[str | None, Optional] = Field(
        default=None, validation_alias=_env("RUNAI_BASE_URL", "base_url")
    )
    """Address of the Run:ai control plane, https, without a path."""

    client_id: Annotated[str | None, Optional] = Field(
        default=None, validation_alias=_env("RUNAI_CLIENT_ID", "client_id")
    )
    """Client id of a Run:ai service account or user access key."""

    client_secret: Annotated[SecretStr | None, Optional] = Field(
        default=None, validation_alias=_env("RUNAI_CLIENT_SECRET")
    )
    """Its secret, from the environment only."""

    client_secret_file: Annotated[Path | None, Optional] = Field(
        default=None, validation_alias=_env("RUNAI_CLIENT_SECRET_FILE", "client_secret_file")
    )
    """A file that holds the secret; read again when it changes, as Kubernetes rotates it."""

    project: Annotated[str | None, Optional] = Field(
        default=None, validation_alias=_env("RUNAI_PROJECT", "project")
    )
    """Name of the Run:ai project where the sweep file names none."""

    cluster: Annotated[str | None, Optional] = Field(
        default=None, validation_alias=_env("RUNAI_CLUSTER", "cluster")
    )
    """Name of the cluster where neither the sweep file nor the project tells it."""

    ca_file: Annotated[Path | None, Optional] = Field(
        default=None, validation_alias=_env("SWEEPER_CA_FILE", "ca_file")
    )
    """PEM file of the authority that signed the control plane's certificate."""

    token_version: TokenVersion = Field(
        default=TokenVersion.AUTO, validation_alias=_env("SWEEPER_TOKEN_VERSION", "token_version")
    )
    """Token endpoint: v1, v2, or auto (v2, and v1 where that does not exist)."""

    api_version: str = Field(
        default="2.21",
        validation_alias=_env("SWEEPER_API_VERSION", "api_version"),
        pattern=r"^\d+\.\d+$",
    )
    """Version of the control plane; from 2.22 on, newer spec fields and priorities pass."""

    quarantine: float = Field(
        default=20.0, validation_alias=_env("SWEEPER_QUARANTINE", "quarantine"), ge=0, le=3600
    )
    """Seconds before a create that was left open is sent again: its total deadline + 5 s."""

    report_url: Annotated[str | None, Optional] = Field(
        default=None, validation_alias=_env("SWEEPER_PUBLIC_REPORT_URL", "report_url")
    )
    """Address under which trainings on Run:ai reach this daemon's report port."""

    report_listen: str = Field(
        default="127.0.0.1:0", validation_alias=_env("SWEEPER_REPORT_LISTEN", "report_listen")
    )
    """HOST:PORT for reports of trainings; port 0 takes a free one and keeps it for the sweep."""

    allow_privileged_spec: bool = Field(
        default=False,
        validation_alias=_env("SWEEPER_ALLOW_PRIVILEGED_SPEC", "allow_privileged_spec"),
    )
    """Let a spec ask for host paths, host network, uid 0 and the like."""

    gpus: int | None = Field(
        default=None, validation_alias=_env("SWEEPER_LOCAL_GPUS", "gpus"), ge=0
    )
    """GPUs of the embedded local control plane. Default: those that NVML finds."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: flags, environment, settings file."""
        del dotenv_settings, file_secret_settings
        toml = TomlConfigSettingsSource(settings_cls, settings_file())
        return init_settings, env_settings, toml


def settings_file() -> Path:
    """Return where the settings file is: SWEEPER_SETTINGS, else in the XDG folder."""
    given = os.environ.get("SWEEPER_SETTINGS")
    if given:
        return Path(given)
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "sweeper" / "settings.toml"


def load_settings(flags: Mapping[str, object] | None = None) -> Settings:
    """Read all settings; `flags` holds what was given on the command line (None: not given).

    Raises:
        SettingsError: a value cannot be used; the message names where it stands, never a secret.
    """
    file = settings_file()
    if os.environ.get("SWEEPER_SETTINGS") and not file.is_file():
        raise SettingsError(f"SWEEPER_SETTINGS: no such file: {file}")
    _refuse_unknown_keys(file)
    given: dict[str, Any] = {
        name: value for name, value in (flags or {}).items() if value is not None
    }
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError(_describe(error)) from None


def default_state_dir() -> Path:
    """Return where sweeps are kept when nothing else is said."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "sweeper"


def _refuse_unknown_keys(file: Path) -> None:
    """Refuse a settings file that cannot be read, or that holds a key or secret out of place."""
    if not file.is_file():
        return
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file}: cannot be read: {error}") from error
    known = sorted(set(Settings.model_fields) - {"client_secret"})
    for key in data:
        if key == "client_secret":
            raise SettingsError(
                f"{file}: client_secret: use client_secret_file, or the environment"
            )
        if key not in known:
            raise SettingsError(f"{file}: {key}: no such setting; there are {', '.join(known)}")


def _describe(error: ValidationError) -> str:
    faults = []
    for fault in error.errors(include_input=False, include_url=False):
        name = str(fault["loc"][0]) if fault["loc"] else "settings"
        faults.append(f"{name}: {fault['msg']}")
    return "; ".join(faults)
