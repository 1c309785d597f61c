"""Where a catalogue comes from, and which ones may share a database. Pure."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from collector.errors import CatalogueMismatch
from genrebase.store import names

OriginKind = Literal["spotify", "synthetic", "file", "other"]

_SERVED: Final = ("synthetic", "file")
_CHECKSUM: Final = "sha256:"


@dataclass(frozen=True, slots=True)
class CatalogueOrigin:
    """Where a catalogue comes from."""

    kind: OriginKind
    detail: str
    """A sandbox's seed or file with its checksum; an address for anything else."""

    @property
    def checksum(self) -> str | None:
        """The checksum of what a sandbox serves."""
        _, found, checksum = self.detail.rpartition(_CHECKSUM)
        return checksum if found else None

    def __str__(self) -> str:
        """Say it to people."""
        said = self.detail.partition(_CHECKSUM)[0].strip().rstrip(",")
        return {
            "spotify": "Spotify",
            "synthetic": f"the invented catalogue ({said})",
            "file": f"the sandbox's file {said}",
            "other": f"the API at {said}",
        }[self.kind]


SPOTIFY_ORIGIN: Final = CatalogueOrigin("spotify", "https://api.spotify.com/v1/")


def parse_sandbox_origin(document: Any, address: str) -> CatalogueOrigin:
    """Return the origin that a sandbox tells of itself; `other` for what is no sandbox."""
    if isinstance(document, dict):
        kind: Any = document.get("kind")
        detail, checksum = document.get("detail"), document.get("sha256")
        if kind in _SERVED and isinstance(detail, str) and isinstance(checksum, str):
            return CatalogueOrigin(kind, f"{names.clean(detail)}, {_CHECKSUM}{checksum}")
    return CatalogueOrigin("other", address)


def check_compatible(
    stored: CatalogueOrigin | None, asked: CatalogueOrigin, elsewhere: str | None
) -> bool:
    """Return whether `asked` is new to the database and has to be written down.

    Raises `CatalogueMismatch` where the database was filled from another catalogue, or where an
    invented one is asked for and the database holds tracks that came from `elsewhere`.
    """
    if stored is None:
        if asked.kind == "synthetic" and elsewhere is not None:
            raise CatalogueMismatch(
                f"This database holds tracks from {elsewhere}; {asked} does not go in with them. "
                "Set STORE_URL to a database of its own, like sqlite:///sandbox.db."
            )
        return True
    if not _same(stored, asked):
        raise CatalogueMismatch(
            f"This database was filled from {stored}; {asked} does not go in with it. "
            "Set STORE_URL to a database of its own."
        )
    return False


def _same(one: CatalogueOrigin, other: CatalogueOrigin) -> bool:
    if one.kind != other.kind:
        return False
    if one.checksum is not None and other.checksum is not None:
        return one.checksum == other.checksum
    return one.detail == other.detail
