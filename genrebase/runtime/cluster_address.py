"""Addresses of clusters: `tcp://HOST:8786`, or `local:N` for processes of this computer. Pure."""

from typing import Final

from genrebase.errors import UserError

LOCAL: Final = "local:"
"""The prefix of an address that starts workers on this computer: `local:4`."""
_SCHEMES: Final = ("tcp://", "tls://")


class InvalidCluster(UserError):
    """The cluster's address, settings or versions cannot be used; nothing was changed."""


def check_address(address: str) -> None:
    """Raise `InvalidCluster` if `address` is neither a scheduler's nor `local:N`."""
    count = address.removeprefix(LOCAL)
    is_count = count.isdecimal() and int(count) > 0
    if not (is_count if address.startswith(LOCAL) else address.startswith(_SCHEMES)):
        raise InvalidCluster(
            f"{address!r} is no cluster: write tcp://HOST:8786 or tls://HOST:8786 (a Dask "
            "scheduler), or local:N (N processes of this computer)."
        )
