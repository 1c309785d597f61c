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
def test_reads_where_to_listen(text: str, host: str, port: int, url: str) -> None:
    """Without a host nobody but this computer is answered; the URL is how it asks itself."""
    address = ListenAddress.parse(text)
    assert (address.host, address.port, address.url) == (host, port, url)


@pytest.mark.parametrize("text", ["", "localhost", "a:b", "1:2:3", "http://a:1", "70000", "a:-1"])
def test_says_what_it_cannot_read(text: str) -> None:
    """What is no address is named, with one that is."""
    with pytest.raises(ValueError, match=r"127\.0\.0\.1:9464"):
        ListenAddress.parse(text)
