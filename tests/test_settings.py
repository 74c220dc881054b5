import os
from pathlib import Path

import pytest

from sweeper.errors import SettingsError
from sweeper.settings import (
    LogFormat,
    Settings,
    TokenVersion,
    default_state_dir,
    load_settings,
    settings_file,
)

_CANARY = "hunter2-canary"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test an environment of its own, with nothing but a home in it."""
    for name in tuple(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def _write(home: Path, text: str) -> Path:
    file = home / ".config" / "sweeper" / "settings.toml"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_without_anything_given_the_defaults_hold() -> None:
    settings = load_settings()

    assert settings.log_format is LogFormat.TEXT
    assert settings.log_level == "info"
    assert settings.token_version is TokenVersion.AUTO
    assert settings.quarantine == 20
    assert settings.base_url is None


def test_a_flag_beats_the_environment_and_that_the_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(home, 'project = "file"\ncluster = "file"\nlisten = "file"\n')
    monkeypatch.setenv("RUNAI_PROJECT", "variable")
    monkeypatch.setenv("RUNAI_CLUSTER", "variable")

    settings = load_settings({"project": "flag", "cluster": None})

    assert (settings.project, settings.cluster, settings.listen) == ("flag", "variable", "file")


def test_the_file_can_stand_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = home / "other.toml"
    other.write_text("quarantine = 180\n", encoding="utf-8")
    monkeypatch.setenv("SWEEPER_SETTINGS", str(other))

    assert load_settings().quarantine == 180


def test_every_setting_has_a_variable_of_its_own() -> None:
    aliases = [field.validation_alias for field in Settings.model_fields.values()]

    assert len(set(aliases)) == len(aliases)
    assert all(str(alias).startswith(("SWEEPER_", "RUNAI_")) for alias in aliases)


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_a_variable_of_someone_else_is_not_taken_for_ours(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = load_settings()
    monkeypatch.setenv(name, "1")
    monkeypatch.setenv(name.upper(), "1")

    assert load_settings() == usual


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_variable_counts_as_not_set(blank: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RUNAI_BASE_URL", "RUNAI_CLIENT_SECRET", "SWEEPER_STATE_DIR"):
        monkeypatch.setenv(name, blank)

    settings = load_settings()

    assert (settings.base_url, settings.client_secret, settings.state_dir) == (None, None, None)


def test_an_empty_variable_leaves_a_default_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWEEPER_QUARANTINE", "")
    monkeypatch.setenv("SWEEPER_LOG_FORMAT", "")

    assert load_settings() == load_settings({"quarantine": 20, "log_format": "text"})


@pytest.mark.parametrize("level", ["WARNING", "Warning", "warning"])
def test_a_level_may_be_written_in_any_case(level: str) -> None:
    assert load_settings({"log_level": level}).log_level == "warning"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SWEEPER_LOG_LEVEL", "loud"),
        ("SWEEPER_LOG_FORMAT", "xml"),
        ("SWEEPER_QUARANTINE", "-1"),
        ("SWEEPER_QUARANTINE", "nan"),
        ("SWEEPER_TOKEN_VERSION", "v3"),
        ("SWEEPER_API_VERSION", "2.21; x"),
        ("SWEEPER_LOCAL_GPUS", "1.5"),
        ("SWEEPER_ALLOW_PRIVILEGED_SPEC", "perhaps"),
    ],
)
def test_a_wrong_variable_is_named_with_its_value(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError) as raised:
        load_settings()

    assert str(raised.value).startswith(f"{variable}: '{value}': Input should ") or (
        str(raised.value).startswith(f"{variable}: '{value}': String should ")
    )


def test_a_wrong_flag_is_named_as_it_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWEEPER_LOG_LEVEL", "debug")

    with pytest.raises(SettingsError, match=r"^--log-level: 'loud': Input should be 'debug'"):
        load_settings({"log_level": "loud"})


def test_a_wrong_key_of_the_file_is_named_with_the_file(home: Path) -> None:
    file = _write(home, 'quarantine = "long"\n')

    with pytest.raises(SettingsError) as raised:
        load_settings()

    assert str(raised.value).startswith(f"{file}: quarantine: 'long': Input should be")


def test_all_wrong_settings_are_named_at_once() -> None:
    with pytest.raises(SettingsError, match=r"^--quarantine: .*; --gpus: "):
        load_settings({"gpus": -1, "quarantine": -1})


def test_an_unknown_key_of_the_file_is_refused(home: Path) -> None:
    file = _write(home, "projekt = 1\n")

    with pytest.raises(SettingsError) as raised:
        load_settings()

    assert str(raised.value).startswith(f"{file}: projekt: no such setting; there are ")
    assert "client_secret," not in str(raised.value)


def test_a_secret_in_the_file_is_refused_and_not_repeated(home: Path) -> None:
    _write(home, f'client_secret = "{_CANARY}"\n')

    with pytest.raises(SettingsError, match="client_secret: use client_secret_file") as raised:
        load_settings()

    assert _CANARY not in str(raised.value)


@pytest.mark.parametrize(
    "content",
    [
        *(b"= broken", b"\xff\xfe", b"a = 1\na = 2", b"\r", b"gpus = " + b"9" * 5000),
        b"gpus = " + b"[" * 5000,
    ],
    ids=["broken", "no text", "twice", "half a line end", "endless number", "deep"],
)
def test_a_file_that_is_no_toml_is_refused(content: bytes, home: Path) -> None:
    file = _write(home, "")
    file.write_bytes(content)

    with pytest.raises(SettingsError, match=r"settings\.toml: cannot be read: "):
        load_settings()


def test_no_message_about_settings_repeats_more_than_a_line_of_them(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWEEPER_LOCAL_GPUS", "\x1b[2J" * 10_000)
    monkeypatch.setenv("SWEEPER_SETTINGS", str(home / "none.toml"))
    (home / "none.toml").touch()

    with pytest.raises(SettingsError) as raised:
        load_settings()

    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 500


def test_an_unknown_key_moves_no_cursor(home: Path) -> None:
    _write(home, '"a\\u202eb" = 1')

    with pytest.raises(SettingsError) as raised:
        load_settings()

    assert str(raised.value).isprintable()


def test_a_folder_is_no_settings_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWEEPER_SETTINGS", str(home))

    with pytest.raises(SettingsError, match="cannot be read: "):
        load_settings()


def test_a_file_asked_for_must_exist(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWEEPER_SETTINGS", str(home / "none.toml"))

    with pytest.raises(SettingsError, match=r"SWEEPER_SETTINGS: no such file: .*none\.toml"):
        load_settings()


def test_the_secret_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNAI_CLIENT_SECRET", _CANARY)

    settings = load_settings()

    assert settings.client_secret is not None
    assert settings.client_secret.get_secret_value() == _CANARY
    assert _CANARY not in f"{settings} {settings!r} {settings.model_dump()} "
    assert _CANARY not in settings.model_dump_json()


def test_a_secret_of_a_wrong_type_is_not_repeated() -> None:
    with pytest.raises(SettingsError, match=r"^--client-secret: Input") as raised:
        load_settings({"client_secret": [_CANARY]})

    assert _CANARY not in str(raised.value)


def test_settings_do_not_change() -> None:
    settings = load_settings()

    with pytest.raises(ValueError, match="frozen"):
        settings.project = "other"  # type: ignore[misc] # what the test is about


def test_folders_follow_xdg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/config")

    assert default_state_dir() == Path("/state/sweeper")
    assert settings_file() == Path("/config/sweeper/settings.toml")


@pytest.mark.parametrize("relative", ["", "state", "./x"])
def test_a_relative_xdg_folder_is_ignored(
    relative: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", relative)

    assert default_state_dir() == home / ".local" / "state" / "sweeper"


def test_a_user_without_a_home_is_told_what_to_give(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(path: str) -> str:
        return path

    monkeypatch.setattr("os.path.expanduser", nobody)

    assert load_settings().state_dir is None
    with pytest.raises(SettingsError, match="--state-dir or SWEEPER_STATE_DIR"):
        default_state_dir()
