import json
import logging
from pathlib import Path

import pytest

from sweeper.bootstrap.capabilities import (
    capabilities_file,
    load_capabilities,
    save_capabilities,
)
from sweeper.errors import SettingsError
from sweeper.runai.capabilities import Capabilities
from sweeper.settings import Settings
from tests.support.places import settings_in

URL = "https://runai.example.com"


def test_what_a_probe_found_is_there_for_the_next_sweep(settings: Settings) -> None:
    found = Capabilities(names_unique=False)

    file = save_capabilities(settings, URL, found)

    assert load_capabilities(settings, URL) == found
    assert json.loads(file.read_text())["base_url"] == URL
    assert file.stat().st_mode & 0o077 == 0


def test_every_control_plane_has_a_file_of_its_own(settings: Settings) -> None:
    urls = [URL, URL + ":8443", "http://127.0.0.1:8080", "http://127.0.0.1:8081"]

    assert len({capabilities_file(settings, url) for url in urls}) == len(urls)


def test_nothing_is_known_without_a_probe(settings: Settings) -> None:
    assert load_capabilities(settings, URL) == Capabilities()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"a": 1, "a": 2}', b"[" * 100_000])
def test_a_broken_file_counts_as_none_and_is_told(
    settings: Settings, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    save_capabilities(settings, URL, Capabilities()).write_bytes(content)

    with caplog.at_level(logging.WARNING):
        assert load_capabilities(settings, URL) == Capabilities()
    assert "run sweeper probe again" in caplog.text


def test_a_state_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")

    with pytest.raises(SettingsError, match="--state-dir"):
        save_capabilities(settings_in(tmp_path), URL, Capabilities())
