"""The origin of a catalogue."""

import pytest

from collector.catalogue.catalogue_origin import (
    SPOTIFY_ORIGIN,
    CatalogueOrigin,
    check_compatible,
    parse_sandbox_origin,
)
from collector.errors import CatalogueMismatch

INVENTED = parse_sandbox_origin(
    {"kind": "synthetic", "detail": "seed 1", "sha256": "ab"}, "http://x"
)
FILE = parse_sandbox_origin({"kind": "file", "detail": "mine.csv", "sha256": "cd"}, "http://x")


def test_parses_the_origin_of_a_sandbox() -> None:
    """The origin consists of kind, detail and checksum; the address does not matter."""
    assert CatalogueOrigin("synthetic", "seed 1, sha256:ab") == INVENTED
    assert INVENTED.checksum == "ab"
    assert str(INVENTED) == "the synthetic catalogue (seed 1)"


@pytest.mark.parametrize("document", [None, [], {}, {"kind": "spotify"}, {"kind": "file"}])
def test_another_api_has_the_origin_other(document: object) -> None:
    """An API that does not report its origin is identified by its address."""
    assert parse_sandbox_origin(document, "http://x") == CatalogueOrigin("other", "http://x")


def test_the_first_catalogue_is_stored() -> None:
    """A database without an origin takes any, and the same one from then on."""
    for requested in (SPOTIFY_ORIGIN, INVENTED, FILE, CatalogueOrigin("other", "http://x")):
        assert check_compatible(None, requested, None)
        assert not check_compatible(requested, requested, None)


def test_a_renamed_file_is_the_same() -> None:
    """The checksum decides, not the name."""
    renamed = parse_sandbox_origin({"kind": "file", "detail": "b.csv", "sha256": "cd"}, "http://x")
    assert not check_compatible(FILE, renamed, None)


@pytest.mark.parametrize(
    ("stored", "requested"),
    [
        (SPOTIFY_ORIGIN, INVENTED),
        (INVENTED, SPOTIFY_ORIGIN),
        (INVENTED, FILE),
        (FILE, SPOTIFY_ORIGIN),
        (
            INVENTED,
            parse_sandbox_origin({"kind": "synthetic", "detail": "seed 2", "sha256": "e"}, ""),
        ),
        (CatalogueOrigin("other", "http://x"), CatalogueOrigin("other", "http://y")),
    ],
)
def test_another_catalogue_is_refused(stored: CatalogueOrigin, requested: CatalogueOrigin) -> None:
    """Synthetic and real catalogues are not mixed; the message names both and the remedy."""
    with pytest.raises(CatalogueMismatch, match="STORE_URL") as caught:
        check_compatible(stored, requested, None)
    assert caught.value.exit_code == 2
    assert str(stored) in str(caught.value)
    assert str(requested) in str(caught.value)


def test_a_synthetic_catalogue_does_not_join_imports() -> None:
    """A synthetic catalogue is refused by a database that holds imported tracks."""
    with pytest.raises(CatalogueMismatch, match=r"csv:mine\.csv"):
        check_compatible(None, INVENTED, "csv:mine.csv")
    assert check_compatible(None, SPOTIFY_ORIGIN, "csv:mine.csv")
    assert check_compatible(None, FILE, "csv:mine.csv")
