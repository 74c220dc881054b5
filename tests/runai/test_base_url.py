import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.errors import SettingsError
from sweeper.runai.base_url import check_base_url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("https://runai.example.com", "https://runai.example.com", id="plain"),
        pytest.param("https://runai.example.com/", "https://runai.example.com", id="slash"),
        pytest.param("  https://RunAI.Example.com \n", "https://runai.example.com", id="spelling"),
        pytest.param("HTTPS://a.example:8443", "https://a.example:8443", id="port"),
        pytest.param("https://10.1.2.3", "https://10.1.2.3", id="private address"),
        pytest.param("https://[2001:db8::1]:443/", "https://[2001:db8::1]:443", id="ipv6"),
        pytest.param("https://runai.example.com.", "https://runai.example.com", id="final dot"),
        pytest.param("http://127.0.0.1:8080", "http://127.0.0.1:8080", id="loopback"),
        pytest.param("http://127.9.9.9", "http://127.9.9.9", id="loopback net"),
        pytest.param("http://[::1]:9", "http://[::1]:9", id="loopback ipv6"),
        pytest.param("http://localhost:9464/", "http://localhost:9464", id="localhost"),
        pytest.param("https://localhost", "https://localhost", id="localhost over tls"),
    ],
)
def test_usable_base_urls_come_back_as_scheme_host_and_port(text: str, expected: str) -> None:
    assert check_base_url(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "is empty", id="empty"),
        pytest.param("   ", "is empty", id="blank"),
        pytest.param("http://runai.example.com", "https://", id="http"),
        pytest.param("http://127.0.0.1.example.com", "https://", id="looks like loopback"),
        pytest.param("http://localhost.example.com", "https://", id="looks like localhost"),
        pytest.param("http://10.0.0.1", "https://", id="http on a private address"),
        pytest.param("runai.example.com", "write https://runai.example.com", id="no scheme"),
        pytest.param("runai.example.com:443", "write https://", id="no scheme, port"),
        pytest.param("ftp://runai.example.com", "only https", id="ftp"),
        pytest.param("file:///etc/passwd", "only https", id="file"),
        pytest.param("https://", "names no host", id="no host"),
        pytest.param("https:///path", "names no host", id="no host but a path"),
        pytest.param("https://runai.example.com/api/v1", "write https://runai", id="path"),
        pytest.param("https://runai.example.com//x/..", "holds a path", id="odd path"),
        pytest.param("https://runai.example.com?x=1", "query", id="query"),
        pytest.param("https://runai.example.com?", "query", id="empty query"),
        pytest.param("https://runai.example.com/#", "fragment", id="empty fragment"),
        pytest.param("https://a.example:0", "port 0", id="port 0"),
        pytest.param("https://a.example:99999", "1 to 65535", id="large port"),
        pytest.param("https://a.example:port", "1 to 65535", id="port no number"),
        pytest.param("https://169.254.169.254", "metadata", id="link-local"),
        pytest.param("https://[::ffff:169.254.169.254]", "metadata", id="wrapped link-local"),
        pytest.param("https://[fe80::1]", "metadata", id="link-local ipv6"),
        pytest.param("https://[fe80::1%eth0]", "network interface", id="zone"),
        pytest.param("https://[fd00:ec2::254]", "metadata", id="metadata ipv6"),
        pytest.param("https://100.100.100.200", "metadata", id="metadata ipv4"),
        pytest.param("https://metadata.google.internal", "metadata", id="metadata name"),
        pytest.param("https://metadata.google.internal./", "metadata", id="metadata name, dot"),
        pytest.param("https://0.0.0.0", "no server can have", id="unspecified"),
        pytest.param("https://[::]", "no server can have", id="unspecified ipv6"),
        pytest.param("https://224.0.0.1", "no server can have", id="multicast"),
        pytest.param("https://2852039166", "odd way", id="address as one number"),
        pytest.param("https://0xa9fea9fe", "odd way", id="address in hexadecimal"),
        pytest.param("https://169.254.43518", "odd way", id="address in three parts"),
        pytest.param("https://0251.0376.0251.0376", "odd way", id="address in octal"),
        pytest.param("https://exa_mple.com", "no host name", id="underscore"),
        pytest.param("https://-a.example", "no host name", id="leading dash"),
        pytest.param("https://a..example", "no host name", id="empty label"),
        pytest.param("https://runai.example.com\\@evil", "no URL may hold", id="backslash"),
        pytest.param("https://runai.exa mple.com", "no URL may hold", id="space"),
        pytest.param("https://runai.\texample.com", "no URL may hold", id="tab"),
        pytest.param("https://rünai.example.com", "no URL may hold", id="not ASCII"),
        pytest.param("https://[::1", "is no URL", id="open bracket"),
    ],
)
def test_other_base_urls_are_refused_with_a_remedy(text: str, words: str) -> None:
    with pytest.raises(SettingsError, match="base URL") as caught:
        check_base_url(text)

    assert words in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "https://user:hunter2canary@runai.example.com",
        "https://hunter2canary@runai.example.com/path",
        "https://a@hunter2canary@runai.example.com",
        "user:hunter2canary@runai.example.com",
        "ftp://user:hunter2canary@runai.example.com",
        "https://user:hunter2canary@[::1",
    ],
)
def test_user_info_is_refused_and_never_repeated(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check_base_url(text)

    assert "hunter2canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_http_on_loopback_can_be_ruled_out() -> None:
    with pytest.raises(SettingsError, match="write https://"):
        check_base_url("http://127.0.0.1", allow_http_loopback=False)


@given(st.one_of(st.text(), st.from_regex(r"https?://[^/]{0,30}/?", fullmatch=True)))
def test_any_text_is_accepted_or_refused_and_accepting_is_stable(text: str) -> None:
    try:
        url = check_base_url(text)
    except SettingsError:
        return

    assert check_base_url(url) == url
    assert url.startswith(("https://", "http://127.", "http://localhost", "http://[::"))
