"""Addresses of clusters."""

import pytest

from genrebase.errors import UserError
from genrebase.runtime.cluster import check_address, open_cluster


@pytest.mark.parametrize("address", ["local:1", "local:16", "tcp://host:8786", "tls://host:8786"])
def test_a_scheduler_or_a_number_of_processes(address: str) -> None:
    """Both forms are accepted."""
    check_address(address)


@pytest.mark.parametrize(
    "address", ["", "local", "local:", "local:0", "local:-1", "local:two", "host:8786", "http://x"]
)
def test_anything_else_is_a_sentence(address: str) -> None:
    """The sentence names the two forms."""
    with pytest.raises(UserError, match=r"tcp://HOST:8786 .* local:N"):
        check_address(address)


def test_no_cluster_without_an_address() -> None:
    """Commands then do the work themselves, and Dask is not imported."""
    with open_cluster(None) as cluster:
        assert cluster is None


def test_tls_needs_all_of_its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate without its key, and an address that expects one, are sentences."""
    with (
        pytest.raises(UserError, match="expects a certificate"),
        open_cluster("tls://127.0.0.1:1"),
    ):
        pass
    monkeypatch.setenv("GENREBASE_CLUSTER_TLS_CERT", "cert.pem")
    with (
        pytest.raises(UserError, match="belong together"),
        open_cluster("tls://127.0.0.1:1"),
    ):
        pass
