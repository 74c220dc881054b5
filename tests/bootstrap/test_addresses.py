import pytest

from sweeper.bootstrap.addresses import HostPort, reachable, read_address
from sweeper.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:9464", "127.0.0.1", 9464),
        ("localhost:0", "localhost", 0),
        (":8080", "127.0.0.1", 8080),
        ("[::1]:80", "::1", 80),
        (" 0.0.0.0:65535 ", "0.0.0.0", 65535),
    ],
)
def test_an_address_has_a_host_and_a_port(text: str, host: str, port: int) -> None:
    assert read_address(text, "listen") == HostPort(host=host, port=port)


@pytest.mark.parametrize(
    "text",
    ["", "9464", "host", "host:", "host:port", "host:65536", "a b:1", "http://host:80", "::1:80"],
)
def test_what_is_no_address_names_its_setting_and_the_remedy(text: str) -> None:
    with pytest.raises(SettingsError, match=r"listen: .* is no address: write HOST:PORT"):
        read_address(text, "listen")


def test_an_address_is_written_as_it_is_read() -> None:
    assert str(HostPort(host="::1", port=80)) == "[::1]:80"
    assert str(HostPort(host="a.example", port=80)) == "a.example:80"


@pytest.mark.parametrize(
    ("host", "near"), [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("10.0.0.1", "10.0.0.1")]
)
def test_what_listens_everywhere_is_reached_on_loopback(host: str, near: str) -> None:
    assert reachable(host) == near
