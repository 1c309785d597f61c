"""Provenance check: which catalogue a database was filled from, and which ones may join it.

Synthetic and real tracks never share a database.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, insert, select

from collector.errors import CatalogueMismatch
from genrebase.store import names, tables

OriginKind = Literal["spotify", "open", "synthetic", "file", "other"]

_SANDBOX_KINDS: Final = ("synthetic", "file")
_CHECKSUM: Final = "sha256:"
_MAX_MODE: Final = 40
"""Characters of the name of a mode."""


@dataclass(frozen=True, slots=True)
class CatalogueOrigin:
    """Where a catalogue comes from."""

    kind: OriginKind
    detail: str
    """A sandbox's seed or file with its checksum; an address for anything else."""
    access_mode: str | None = field(default=None, compare=False)
    """The access to Spotify that a sandbox simulates; not stored with the origin."""

    @property
    def checksum(self) -> str | None:
        """The checksum of a sandbox's catalogue."""
        _, prefix, checksum = self.detail.rpartition(_CHECKSUM)
        return checksum if prefix else None

    def __str__(self) -> str:
        """Return a readable name."""
        detail = self.detail.partition(_CHECKSUM)[0].strip().rstrip(",")
        return {
            "spotify": "Spotify",
            "open": detail,
            "synthetic": f"the synthetic catalogue ({detail})",
            "file": f"the sandbox's file {detail}",
            "other": f"the API at {detail}",
        }[self.kind]


SPOTIFY_ORIGIN: Final = CatalogueOrigin("spotify", "https://api.spotify.com/v1/")
OPEN_SERVICES: Final = CatalogueOrigin("open", "the public services of MusicBrainz and others")
"""Real music, as Spotify's: it goes in with every database but a sandbox's, and is not stored."""


def parse_sandbox_origin(document: Any, address: str) -> CatalogueOrigin:
    """Return the origin that a sandbox reports; kind `other` for any other API."""
    if isinstance(document, dict):
        kind: Any = document.get("kind")
        detail, checksum = document.get("detail"), document.get("sha256")
        mode = document.get("mode")
        mode = names.clean(mode)[:_MAX_MODE] if isinstance(mode, str) else None
        if kind in _SANDBOX_KINDS and isinstance(detail, str) and isinstance(checksum, str):
            return CatalogueOrigin(kind, f"{names.clean(detail)}, {_CHECKSUM}{checksum}", mode)
    return CatalogueOrigin("other", address)


def check_compatible(
    stored: CatalogueOrigin | None, configured: CatalogueOrigin, other_origin: str | None
) -> bool:
    """Return whether `configured` is new to the database and has to be stored. Pure.

    Raises `CatalogueMismatch` where the database was filled from another catalogue, or where
    `configured` is synthetic and the database holds tracks of `other_origin`.
    """
    if configured.kind == "open" and (stored is None or stored.kind not in _SANDBOX_KINDS):
        return False
    if stored is None:
        if configured.kind == "synthetic" and other_origin is not None:
            raise CatalogueMismatch(
                f"This database holds tracks from {other_origin}; {configured} does not go in "
                "with them. Set STORE_URL to a database of its own, like sqlite:///sandbox.db."
            )
        return True
    if not _is_same(stored, configured):
        advice = "To continue with the sandbox, set COLLECTOR_SANDBOX_URL again. "
        raise CatalogueMismatch(
            f"This database was filled from {stored}, and {configured} cannot be mixed with it. "
            f"{advice if stored.kind in _SANDBOX_KINDS else ''}"
            "Name a database of its own in STORE_URL, then run genrebase migrate."
        )
    return False


def load_origin(connection: Connection) -> CatalogueOrigin | None:
    """Return the catalogue that the database was filled from; None before its first harvest."""
    row = connection.execute(select(tables.catalogue_origin)).one_or_none()
    return None if row is None else CatalogueOrigin(row.kind, row.detail)


def store_origin(connection: Connection, origin: CatalogueOrigin, now: datetime) -> None:
    """Store the origin of a database without one."""
    connection.execute(
        insert(tables.catalogue_origin).values(
            id=1, kind=origin.kind, detail=origin.detail, recorded_at=now
        )
    )


def any_track_origin(connection: Connection) -> str | None:
    """Return the origin of a stored track, None where there is none."""
    return connection.execute(select(tables.track.c.origin).limit(1)).scalar_one_or_none()


def _is_same(one: CatalogueOrigin, other: CatalogueOrigin) -> bool:
    if one.kind != other.kind:
        return False
    if one.checksum is not None and other.checksum is not None:
        return one.checksum == other.checksum
    return one.detail == other.detail
