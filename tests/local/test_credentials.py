from pathlib import Path

import pytest

from sweeper.errors import SettingsError
from sweeper.local.credentials import FILE, fresh_credentials, kept_credentials


def test_credentials_are_kept_for_the_owner_alone(tmp_path: Path) -> None:
    made = kept_credentials(tmp_path / "state")

    assert kept_credentials(tmp_path / "state") == made
    assert (tmp_path / "state" / FILE).stat().st_mode & 0o777 == 0o600
    assert [file.name for file in (tmp_path / "state").iterdir()] == [FILE]


def test_two_state_folders_have_credentials_of_their_own(tmp_path: Path) -> None:
    assert kept_credentials(tmp_path / "a") != kept_credentials(tmp_path / "b")
    assert fresh_credentials() != fresh_credentials()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 9000,
        b'{"clientId": "a", "clientSecret": "", "key": "aaaa"}',
        b'{"clientId": 1, "clientSecret": "b", "key": "aaaa"}',
        b'{"clientId": "a", "clientSecret": "b", "key": "!"}',
        b'{"clientId": "a", "clientSecret": "b", "key": 7}',
    ],
)
def test_a_file_that_holds_none_is_named_with_the_remedy(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)

    with pytest.raises(SettingsError, match=r"credentials\.json: holds no .* move it away"):
        kept_credentials(tmp_path)


def test_a_file_that_is_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()

    with pytest.raises(SettingsError, match="cannot be read"):
        kept_credentials(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SettingsError, match=r"credentials\.json: cannot be"):
        kept_credentials(tmp_path / "file")
