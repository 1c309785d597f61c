"""Addresses to listen on."""

import pytest

from genrebase.runtime.addresses import ListenAddress


@pytest.mark.parametrize(
    ("text", "host", "port", "url"),
    [
        ("9464", "127.0.0.1", 9464, "http://127.0.0.1:9464"),
        (":9464", "127.0.0.1", 9464, "http://127.0.0.1:9464"),
        ("0.0.0.0:80", "0.0.0.0", 80, "http://127.0.0.1:80"),
        ("collector:80", "collector", 80, "http://collector:80"),
        ("[::1]:80", "::1", 80, "http://[::1]:80"),
        ("[::]:80", "::", 80, "http://127.0.0.1:80"),
    ],
)
def test_parses_an_address(text: str, host: str, port: int, url: str) -> None:
    """The default host is loopback; the URL is the one for local requests."""
    address = ListenAddress.parse(text)
    assert (address.host, address.port, address.url) == (host, port, url)


@pytest.mark.parametrize("text", ["", "localhost", "a:b", "1:2:3", "http://a:1", "70000", "a:-1"])
def test_an_invalid_address_is_refused(text: str) -> None:
    """The message has the value and a valid example."""
    with pytest.raises(ValueError, match=r"127\.0\.0\.1:9464"):
        ListenAddress.parse(text)
