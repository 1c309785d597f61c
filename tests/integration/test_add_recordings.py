"""Adding MusicBrainz' recordings by their MBIDs, over HTTP, on both databases."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select

from collector import composition_root
from collector.imports.ids import (
    AddResult,
    TrackAdder,
    musicbrainz_recordings,
    parse_recording_ids,
)
from collector.settings import CollectorSettings
from genrebase.errors import UserError
from genrebase.store import tables
from genrebase.store.engine import read_transaction
from tests.consistency import assert_consistent
from tests.fakes import FakeClock
from tests.scripted_server import ScriptedResponse, ScriptedServer, serving

OLD = "0c7d2f4a-1b89-4d0e-9c8a-2f4a1b894d0e"
NEW = "5935ec91-8124-42ff-937f-f31a20ffe58f"
OTHER = "cb2cc207-8125-445c-9ef9-6ea44eee959a"
PATH = "/ws/2/recording/"


def recording(mbid: str, title: str = "Song") -> ScriptedResponse:
    credit = [{"name": "Band", "joinphrase": "", "artist": {"id": OTHER, "name": "Band"}}]
    document = {"id": mbid, "title": title, "length": 200_000, "artist-credit": credit}
    return ScriptedResponse.json(document)


def redirect(mbid: str) -> ScriptedResponse:
    return ScriptedResponse(301, b"", {"Location": f"{PATH}{mbid}?inc=isrcs&fmt=json"})


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with serving() as script:
        script.respond(f"{PATH}{OLD}", redirect(NEW))
        script.respond(f"{PATH}{NEW}", recording(NEW))
        script.respond(f"{PATH}{OTHER}", recording(OTHER, "Other"))
        yield script


def add(engine: Engine, server: ScriptedServer, *ids: str) -> AddResult:
    clock = FakeClock()
    settings = CollectorSettings(_env_file=None, musicbrainz_url=server.url, timeout=5.0)
    _, budget = composition_root.open_source("musicbrainz", engine, settings, clock)
    return TrackAdder(engine, musicbrainz_recordings(settings, clock), budget, clock).run(ids)


def aliases(engine: Engine) -> dict[str, str]:
    """Return the identity of the track of each MBID."""
    alias, track = tables.track_alias.c, tables.track.c
    query = select(alias.source_id, track.identity).join(tables.track, track.id == alias.track_id)
    with read_transaction(engine) as connection:
        assert_consistent(connection)
        rows = connection.execute(query.where(alias.source == "musicbrainz"))
        return dict(map(tuple, rows))


def test_a_merged_recording_is_found_under_both_mbids(
    engine: Engine, server: ScriptedServer
) -> None:
    """A redirect is resolved by a second counted request; then neither MBID is requested again."""
    added = add(engine, server, OLD, OTHER)
    assert (added.recorded.tracks_new, added.requests) == (2, 3)
    assert aliases(engine) == {OLD: "song|band", NEW: "song|band", OTHER: "other|band"}
    assert add(engine, server, OLD, NEW).requests == 0


def test_the_new_mbid_can_come_without_a_redirect(engine: Engine, server: ScriptedServer) -> None:
    """A response with another MBID than the requested one shows a merge, too."""
    server.respond(f"{PATH}{OLD}", recording(NEW))
    assert add(engine, server, OLD).requests == 1
    assert aliases(engine) == {OLD: "song|band", NEW: "song|band"}


def test_a_merge_is_learned_later(engine: Engine, server: ScriptedServer) -> None:
    """The track of the new MBID gets the old one as an alias, whatever its title was meanwhile."""
    add(engine, server, NEW)
    server.respond(f"{PATH}{NEW}", recording(NEW, "Renamed"))
    added = add(engine, server, OLD)
    assert (added.recorded.tracks_new, added.recorded.duplicates) == (0, 1)
    assert aliases(engine) == {OLD: "song|band", NEW: "song|band"}


def test_reports_what_cannot_be_added(engine: Engine, server: ScriptedServer) -> None:
    """Unknown MBIDs, chains of redirects and recordings without an artist are reported."""
    chain, bare, unknown = (f"{n}2345678-1b89-4d0e-9c8a-2f4a1b894d0e" for n in range(3))
    server.respond(f"{PATH}{chain}", redirect(OLD))
    server.respond(f"{PATH}{bare}", ScriptedResponse.json({"id": bare, "title": "Song"}))
    server.respond(f"{PATH}{unknown}", ScriptedResponse.json({"error": "Not Found"}, 404))
    added = add(engine, server, chain, bare, unknown)
    assert added.not_found == [chain, unknown]
    assert added.unusable == {bare: "no artist"}
    assert aliases(engine) == {}


def test_mbids_are_read_from_arguments() -> None:
    """MBIDs and URLs, each once; Spotify's ids beside them are refused."""
    url = f"https://musicbrainz.org/recording/{OLD}/relationships"
    assert parse_recording_ids([NEW.upper(), url, OLD]) == [NEW, OLD]
    assert parse_recording_ids(["3n3Ppam7vgaVa1iaRUc9Lp", "ids.txt"]) == []
    assert parse_recording_ids([f"https://musicbrainz.org/release/{OLD}"]) == []
    with pytest.raises(UserError, match="one service"):
        parse_recording_ids([OLD, "3n3Ppam7vgaVa1iaRUc9Lp"])
