"""AcousticBrainz' API, over HTTP."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from collector.acousticbrainz_submissions import Submission
from collector.errors import InvalidResponse, NotFound, RateLimited, SourceUnavailable
from collector.providers.acousticbrainz import AcousticBrainz
from collector.settings import CollectorSettings
from tests.fakes import FakeClock
from tests.scripted_server import ScriptedResponse, ScriptedServer, serving

PATH = "/api/v1/low-level"
ONE, OTHER = "0dad432b-16cc-4bf0-8961-fd31d124b01b", "e8afe383-1478-497e-90b1-7885c7f37f6e"
MERGED = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with serving() as script:
        yield script


def provider(server: ScriptedServer, submissions: int = 1) -> AcousticBrainz:
    settings = CollectorSettings(
        acousticbrainz_url=server.url, acousticbrainz_submissions=submissions, contact="a@b.org"
    )
    return AcousticBrainz(settings, FakeClock())


def document(bpm: float, key: str = "D", mbid: str = ONE) -> dict[str, object]:
    return {
        "rhythm": {"bpm": bpm, "bpm_histogram_first_peak_bpm": {"mean": 148}},
        "tonal": {"key_key": key, "key_scale": "minor", "key_strength": 0.5},
        "metadata": {"tags": {"musicbrainz_recordingid": [mbid], "genre": ["Rock"]}},
        "highlevel": {"genre_rosamerica": {"value": "cla"}},
    }


def submission(bpm: float, key: int = 2) -> Submission:
    return Submission(bpm=bpm, bpm_first_peak=148, key=key, mode=0, key_strength=0.5)


def query(server: ScriptedServer) -> dict[str, list[str]]:
    return parse_qs(urlsplit(server.received[-1]).query)


def test_numbers_by_mbid(server: ScriptedServer) -> None:
    """Every requested id is a key; unknown ones are left out of the response."""
    body = {ONE: {"0": document(120)}, "mbid_mapping": {}}
    server.respond(PATH, ScriptedResponse.json(body))
    assert provider(server).fetch([ONE, OTHER]) == {ONE: (submission(120),), OTHER: None}
    assert query(server)["recording_ids"] == [f"{ONE}:0;{OTHER}:0"]
    assert "rhythm.bpm;" in query(server)["features"][0]
    assert "a@b.org" in server.user_agents[-1]


def test_several_submissions(server: ScriptedServer) -> None:
    """As many as are requested, as far as there are any; a request has room for 25."""
    body = {ONE: {"0": document(120), "2": document(60, "A")}}
    server.respond(PATH, ScriptedResponse.json(body))
    several = provider(server, submissions=3)
    assert several.batch_size == 8
    assert several.fetch([ONE]) == {ONE: (submission(120), submission(60, 9))}
    assert query(server)["recording_ids"] == [f"{ONE}:0;{ONE}:1;{ONE}:2"]


def test_a_merged_recording(server: ScriptedServer) -> None:
    """Numbers belong to the requested id, whatever id the file's own tags name."""
    body = {MERGED: {"0": document(120, mbid=ONE)}, OTHER: {"0": document(90)}}
    server.respond(PATH, ScriptedResponse.json(body))
    assert provider(server).fetch([MERGED]) == {MERGED: (submission(120),)}


def test_an_id_that_is_no_mbid_is_not_sent(server: ScriptedServer) -> None:
    """One of them would make the service refuse the other 24."""
    server.respond(PATH, ScriptedResponse.json({}))
    assert provider(server).fetch(["x;y", ONE.upper()]) == {"x;y": None, ONE.upper(): None}
    assert server.received == []


@pytest.mark.parametrize("documents", [[], "x", {"0": None}, {"0": {"rhythm": {}}}, {"0": []}])
def test_a_recording_without_numbers(server: ScriptedServer, documents: object) -> None:
    """A document without any usable number is none."""
    server.respond(PATH, ScriptedResponse.json({ONE: documents}))
    assert provider(server).fetch([ONE]) == {ONE: None}


def test_a_refusal_says_how_long(server: ScriptedServer) -> None:
    """It has no Retry-After; the seconds are in another header."""
    body = {"message": "Rate limit exceeded."}
    server.respond(
        PATH,
        ScriptedResponse.json(body, 429, X_RateLimit_Reset_In="7", X_RateLimit_Remaining="0"),
        ScriptedResponse.json(body, 429, Retry_After="3", X_RateLimit_Reset_In="7"),
        ScriptedResponse.json(body, 429),
    )
    waits = []
    for _ in range(3):
        with pytest.raises(RateLimited) as caught:
            provider(server).fetch([ONE])
        waits.append(caught.value.retry_after)
    assert waits == [7, 3, None]


def test_a_service_that_fails_or_ended(server: ScriptedServer) -> None:
    """Errors of the server, a page of HTML and an address with nothing behind it."""
    server.respond(
        PATH,
        ScriptedResponse(500, b"<html>"),
        ScriptedResponse(200, b"<html>"),
        ScriptedResponse.json(["x"]),
        ScriptedResponse(404, b""),
    )
    for expected in (SourceUnavailable, InvalidResponse, InvalidResponse, NotFound):
        with pytest.raises(expected):
            provider(server).fetch([ONE])
