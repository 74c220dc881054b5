"""How sweeper runs, apart from what a sweep means: flag > environment > settings file > default.

Secrets come from the environment or from files, never from flags, and are shown nowhere.
"""

import os
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from sweeper.domain.wording import printable
from sweeper.errors import SettingsError

DEFAULT_LISTEN = "127.0.0.1:9464"

_SHOWN = 200
"""How many characters of what was given are repeated at most."""

_SECRETS = {"client_secret": "client_secret_file", "notify_url": "notify_url_file"}
"""Settings that come from the environment alone, each with what a settings file may name."""


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


def _in_lower_case(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


Optional = BeforeValidator(_blank_is_absent)
LogLevel: TypeAlias = Annotated[
    Literal["debug", "info", "warning", "error"], BeforeValidator(_in_lower_case)
]


class Settings(BaseSettings):
    """All settings; each may be given as a flag of the verb that uses it.

    An alias is the environment variable; flags and the settings file use the field's own name.
    """

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        env_ignore_empty=True,
        # The environment is searched for bare field names as well. With this prefix and exact
        # case it finds none, so that a PROJECT or CLUSTER of someone else's is not taken for ours.
        env_prefix="SWEEPER_",
        case_sensitive=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    state_dir: Annotated[Path | None, Optional] = Field(
        default=None, validation_alias="SWEEPER_STATE_DIR"
    )
    """Where sweeps are kept. Default: `$XDG_STATE_HOME/sweeper`, else `~/.local/state/sweeper`."""

    listen: Annotated[str | None, Optional] = Field(default=None, validation_alias="SWEEPER_LISTEN")
    """HOST:PORT of /metrics, /healthz and /readyz; port 0 takes a free one.

    Default: 127.0.0.1:9464; that one being taken is a warning, one asked for being taken is not.
    """

    metrics_textfile: Annotated[Path | None, Optional] = Field(
        default=None, validation_alias="SWEEPER_METRICS_TEXTFILE"
    )
    """A file that always holds this sweep's metrics, for node_exporter's textfile collector.

    Written every 15 s and at the end, at one stroke. Its name must end in .prom, and each sweep
    needs one of its own.
    """

    pushgateway: Annotated[str | None, Optional] = Field(
        default=None, validation_alias="SWEEPER_PUSHGATEWAY"
    )
    """Address of a Pushgateway that gets this sweep's metrics every 15 s and at the end.

    They make a group of their own, `job="sweeper"` and the sweep. A dead gateway is a warning.
    """

    training_info: bool = Field(default=True, validation_alias="SWEEPER_TRAINING_INFO")
    """Whether the metric `sweeper_training_info` names active trainings."""

    log_format: LogFormat = Field(default=LogFormat.TEXT, validation_alias="SWEEPER_LOG_FORMAT")
    """`text` for people, `json` for machines."""

    log_level: LogLevel = Field(default="info", validation_alias="SWEEPER_LOG_LEVEL")
    """The least severe level that is written: debug, info, warning or error."""

    log_file: Annotated[Path | None, Optional] = Field(
        default=None, validation_alias="SWEEPER_LOG_FILE"
    )
    """A file that gets the log lines as well, turned over at 10 MiB; five former ones are kept."""

    base_url: Annotated[str | None, Optional] = Field(
        default=None, validation_alias="RUNAI_BASE_URL"
    )
    """Address of the Run:ai control plane, https, without a path."""

    client_id: Annotated[str | None, Optional] = Field(
        default=None, validation_alias="RUNAI_CLIENT_ID"
    )
    """Client id of a Run:ai service account or user access key."""

    client_secret: Annotated[SecretStr | None, Optional] = Field(
        default=None, validation_alias="RUNAI_CLIENT_SECRET"
    )
    """Its secret, from the environment only."""

    client_secret_file: Annotated[Path | None, Optional] = Field(
        default=None, validation_alias="RUNAI_CLIENT_SECRET_FILE"
    )
    """A file that holds the secret; read again when it changes, as Kubernetes rotates it."""

    project: Annotated[str | None, Optional] = Field(default=None, validation_alias="RUNAI_PROJECT")
    """Name of the Run:ai project where the sweep file names none."""

    cluster: Annotated[str | None, Optional] = Field(default=None, validation_alias="RUNAI_CLUSTER")
    """Name of the cluster where neither the sweep file nor the project tells it."""

    ca_file: Annotated[Path | None, Optional] = Field(
        default=None, validation_alias="SWEEPER_CA_FILE"
    )
    """PEM file of the authority that signed the control plane's certificate."""

    token_version: TokenVersion = Field(
        default=TokenVersion.AUTO, validation_alias="SWEEPER_TOKEN_VERSION"
    )
    """Token endpoint: v1, v2, or auto (v2, and v1 where that does not exist)."""

    api_version: str = Field(
        default="2.21",
        validation_alias="SWEEPER_API_VERSION",
        pattern=r"^[0-9]{1,4}\.[0-9]{1,4}$",
    )
    """Version of the control plane, such as 2.22: fields of a spec that came later pass with it."""

    quarantine: float = Field(default=20.0, validation_alias="SWEEPER_QUARANTINE", ge=0, le=3600)
    """Seconds before a create that was left open is sent again: its total deadline + 5 s.

    Unless it is set, 180 where `sweeper probe` found that names are not unique.
    """

    report_url: Annotated[str | None, Optional] = Field(
        default=None, validation_alias="SWEEPER_PUBLIC_REPORT_URL"
    )
    """Address under which trainings on Run:ai reach this daemon's report port."""

    report_listen: str = Field(default="127.0.0.1:0", validation_alias="SWEEPER_REPORT_LISTEN")
    """HOST:PORT for reports of trainings; port 0 takes a free one and keeps it for the sweep."""

    allow_privileged_spec: bool = Field(
        default=False,
        validation_alias="SWEEPER_ALLOW_PRIVILEGED_SPEC",
    )
    """Let a spec ask for host paths, host network, uid 0 and the like."""

    notify_url: Annotated[SecretStr | None, Optional] = Field(
        default=None, validation_alias="SWEEPER_NOTIFY_URL"
    )
    """Address of somebody who is told of every sweep, as Apprise writes it.

    From the environment only, for it holds a password; needs `sweeper[notify]`.
    """

    notify_url_file: Annotated[Path | None, Optional] = Field(
        default=None, validation_alias="SWEEPER_NOTIFY_URL_FILE"
    )
    """A file that holds such an address; read again for each message."""

    notify_about: Annotated[str | None, Optional] = Field(
        default=None, validation_alias="SWEEPER_NOTIFY_ABOUT"
    )
    """Of what they are told: started, finished, stopped, needs-a-person, failed, daily.

    With commas between them. Default: finished, stopped, needs-a-person.
    """

    notify_daily_at: str = Field(
        default="08:00",
        validation_alias="SWEEPER_NOTIFY_DAILY_AT",
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
    )
    """When the daily summary is sent, on this machine's clock."""

    gpus: int | None = Field(default=None, validation_alias="SWEEPER_LOCAL_GPUS", ge=0)
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


def settings_file() -> Path | None:
    """Return where the settings file is: SWEEPER_SETTINGS, else in the XDG folder.

    None where there is neither, nor a home. The file need not exist.
    """
    given = os.environ.get("SWEEPER_SETTINGS")
    if given:
        return Path(given)
    base = _xdg_folder("XDG_CONFIG_HOME", ".config")
    return None if base is None else base / "sweeper" / "settings.toml"


def load_settings(flags: Mapping[str, object] | None = None) -> Settings:
    """Read all settings; `flags` holds what was given on the command line (None: not given).

    Raises:
        SettingsError: a value cannot be used; the message names where it stands, never a secret.
    """
    file = settings_file()
    if file is not None:
        _refuse_unusable(file)
    given: dict[str, Any] = {
        name: value for name, value in (flags or {}).items() if value is not None
    }
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError(_describe(error, given, file)) from None


def settings_reference() -> str:
    """Return all settings as a Markdown table: name, variable, default, meaning."""
    lines = ["| Setting | Variable | Default | What |", "|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{str(field.default).lower()}`"
        words = " ".join((field.description or "").split())
        shown = "-" if name in _SECRETS else f"`{name}`"
        lines.append(f"| {shown} | `{field.validation_alias}` | {default} | {words} |")
    return "\n".join(lines) + "\n"


def default_state_dir() -> Path:
    """Return where sweeps are kept when nothing else is said.

    Raises:
        SettingsError: there is no home to keep them in.
    """
    base = _xdg_folder("XDG_STATE_HOME", ".local/state")
    if base is None:
        raise SettingsError(
            "state_dir: this user has no home directory: name a directory with --state-dir or "
            "SWEEPER_STATE_DIR"
        )
    return base / "sweeper"


def _xdg_folder(variable: str, below_home: str) -> Path | None:
    """Return a base directory; the XDG specification has relative ones ignored."""
    given = Path(os.environ.get(variable, ""))
    if given.is_absolute():
        return given
    try:
        return Path.home() / below_home
    except RuntimeError:  # a numeric user without an entry in passwd, as containers have
        return None


def _refuse_unusable(file: Path) -> None:
    """Refuse a settings file that cannot be read, or that holds a key or secret out of place."""
    try:
        # As bytes, as it is read again later: read_text would turn a lone \r into a line end.
        data = tomllib.loads(file.read_bytes().decode("utf-8"))
    except FileNotFoundError as error:
        if os.environ.get("SWEEPER_SETTINGS"):
            raise SettingsError(f"SWEEPER_SETTINGS: no such file: {file}") from error
        return
    except RecursionError as error:
        raise SettingsError(f"{file}: cannot be read: it is nested too deep") from error
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file}: cannot be read: {printable(str(error), _SHOWN)}") from error
    known = sorted(set(Settings.model_fields) - set(_SECRETS))
    for key in data:
        if key in _SECRETS:
            raise SettingsError(f"{file}: {key}: use {_SECRETS[key]}, or the environment")
        if key not in known:
            shown = printable(key, _SHOWN)
            raise SettingsError(f"{file}: {shown}: no such setting; there are {', '.join(known)}")


def _describe(error: ValidationError, flags: Mapping[str, Any], file: Path | None) -> str:
    names = {str(field.validation_alias): name for name, field in Settings.model_fields.items()}
    faults = []
    for fault in error.errors(include_url=False):
        found = str(fault["loc"][0])
        name = names.get(found, found)
        place = _place(name, flags, file)
        value = "" if name in _SECRETS else f"{printable(repr(fault['input']), _SHOWN)}: "
        faults.append(f"{place}: {value}{fault['msg']}")
    return "; ".join(faults)


def _place(name: str, flags: Mapping[str, Any], file: Path | None) -> str:
    """Return where the value of a setting that is in force was given."""
    if name in flags:
        return f"--{name.replace('_', '-')}"
    variable = str(Settings.model_fields[name].validation_alias)
    return variable if os.environ.get(variable) else f"{file}: {name}"
