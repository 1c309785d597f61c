"""Jamendo's tracks and errors: field by field, and fields of any form."""

from copy import deepcopy

import pytest

from collector.errors import (
    AccessDenied,
    BadCredentials,
    BadRequest,
    InvalidResponse,
    RateLimited,
    SourceUnavailable,
)
from collector.records import ArtistCredit, GenreVote, Level, RemoteFile, SourceTrack
from collector.sources import jamendo, jamendo_items
from collector.sources.item_fields import RejectReason

DOCUMENT = {
    "id": "1848357",
    "name": "Morgen\n   wird es spät ",
    "duration": 272,
    "artist_id": "421168",
    "artist_name": "Fankel",
    "album_name": "Spät [\n  Teil 1 ]",
    "album_id": "368084",
    "license_ccurl": "http://creativecommons.org/licenses/by-nc-nd/3.0/",
    "position": 1,
    "releasedate": "2021-04-11",
    "audio": "https://prod-1.storage.jamendo.com/?trackid=1848357&format=mp31",
    "audiodownload": "https://prod-1.storage.jamendo.com/download/track/1848357/mp32/",
    "musicinfo": {
        "vocalinstrumental": "instrumental",
        "tags": {"genres": ["Rock", "hiphop"], "instruments": ["bass"], "vartags": ["groovy"]},
    },
    "audiodownload_allowed": True,
}


def response(*results, code=0, **headers):
    return {
        "headers": {"status": "", "code": code, "error_message": "so\nit is", **headers},
        "results": list(results),
    }


def test_a_track():
    parsed = jamendo_items.parse_track(DOCUMENT, 2026)
    assert parsed.track == SourceTrack(
        source="jamendo",
        source_id="1848357",
        title="Morgen wird es spät",
        artists=(ArtistCredit("Fankel", "421168"),),
        album="Spät [ Teil 1 ]",
        release_date="2021-04-11",
        release_year=2021,
        duration_ms=272_000,
        licence="cc-by-nc-nd-3.0",
    )
    assert parsed.genres == (
        GenreVote("rock", 1, Level.RECORDING),
        GenreVote("hiphop", 1, Level.RECORDING),
    )
    assert parsed.download == DOCUMENT["audiodownload"]
    assert parsed.item.licence == "cc-by-nc-nd-3.0"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"id": ""}, RejectReason.NO_ID),
        ({"id": "x1"}, RejectReason.NO_ID),
        ({"name": None}, RejectReason.NO_TITLE),
        ({"artist_name": 7}, RejectReason.NO_ARTIST),
        ({"name": "x" * 3_000}, RejectReason.TOO_LONG),
        ({"name": "", "artist_name": ""}, RejectReason.NO_NAME),
    ],
)
def test_what_is_no_track(changed, reason):
    assert jamendo_items.parse_track({**DOCUMENT, **changed}, 2026) is reason


@pytest.mark.parametrize("value", [None, "", [], {}, -1, True, "\ud800", "9" * 5_000])
def test_no_optional_field_breaks_a_track(value):
    odd = deepcopy(DOCUMENT)
    for name in (
        "duration", "album_name", "license_ccurl", "releasedate", "audiodownload", "musicinfo",
        "artist_id",
    ):  # fmt: skip
        odd[name] = value
    parsed = jamendo_items.parse_track(odd, 2026)
    assert isinstance(parsed, jamendo_items.JamendoTrack)
    assert (parsed.genres, parsed.track.licence) == ((), "unknown")


def test_a_page_names_the_requested_genre_as_it_is_spelled_here():
    """Jamendo's tags are single words: `hiphop` counts for hip hop."""
    page = jamendo.parse_page([DOCUMENT, None], "Hip Hop", 2026)
    assert (page.received, page.reject_reasons) == (2, ("nothing there",))
    assert [vote.name for vote in page.items[0].genres] == ["rock", "Hip Hop"]


@pytest.mark.parametrize(
    ("changed", "files"),
    [
        ({}, (RemoteFile("1848357.mp3", address=DOCUMENT["audiodownload"]),)),
        ({"audiodownload_allowed": False}, jamendo.NOT_ALLOWED),
        ({"audiodownload": ""}, jamendo.NOT_ALLOWED),
    ],
)
def test_the_file_of_a_track(changed, files):
    parsed = jamendo_items.parse_track({**DOCUMENT, **changed}, 2026)
    found = jamendo._files_of(parsed)
    assert (found if isinstance(found, str) else found.files) == files


def test_results():
    assert jamendo_items.results_of(response(DOCUMENT, results_fullcount=9)) == ([DOCUMENT], 9)
    assert jamendo_items.results_of(response()) == ([], None)


@pytest.mark.parametrize(
    ("code", "error", "message"),
    [
        (1, SourceUnavailable, "so it is"),
        (5, BadCredentials, "COLLECTOR_JAMENDO_CLIENT_ID"),
        (6, RateLimited, "limited"),
        (8, BadRequest, r"\(code 8\): so it is"),
        (11, AccessDenied, "suspended"),
        (99, BadRequest, "code 99"),
    ],
)
def test_errors_are_codes(code, error, message):
    with pytest.raises(error, match=message):
        jamendo_items.results_of(response(code=code))


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"headers": {}, "results": []},
        {"headers": {"code": 0}},
        response(code="x"),
    ],
)
def test_what_is_no_response(document):
    with pytest.raises(InvalidResponse):
        jamendo_items.results_of(document)
