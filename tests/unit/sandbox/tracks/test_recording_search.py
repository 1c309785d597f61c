"""Search for recordings by Lucene queries."""

import pytest

from sandbox.tracks.lucene import LuceneSyntaxError
from sandbox.tracks.recording_search import RecordingSearch
from tests.recording_catalogues import recordings

CATALOGUE = recordings()
STABLE = RecordingSearch(CATALOGUE, 0)
SHIFTING = RecordingSearch(CATALOGUE, 25)


def found(query, search=STABLE):
    """All hits of the pages of 100, as they come."""
    hits, offset = [], 0
    while page := search.page(query, offset, 100).recordings:
        hits += [recording for recording, _ in page]
        offset += 100
    return hits


def expected(condition):
    return {recording.mbid for recording in CATALOGUE.recordings if condition(recording)}


def named(words_in_a_row):
    return lambda recording: any(words_in_a_row in name for name, _ in recording.tags)


def words(recording):
    return {word for name, _ in recording.tags for word in name.replace("-", " ").split()}


def rock(recording):
    return "rock" in words(recording)


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ("tag:rock", rock),
        ('tag:"rock"', rock),
        ('tag:"hip hop"', named("hip hop")),
        ('tag:"hop hip"', lambda r: False),
        ("tag:(hop OR indie)", lambda r: {"hop", "indie"} & words(r)),
        ('tag:rock AND -tag:"indie rock"', lambda r: rock(r) and not named("indie rock")(r)),
        ("tag:rock AND video:false", lambda r: rock(r) and not r.is_video),
        ("video:true", lambda r: r.is_video),
        ("firstreleasedate:1990", lambda r: r.date.startswith("1990")),
        ("firstreleasedate:[1990 TO 1994]", lambda r: "1990" <= r.date[:4] <= "1994"),
        ("firstreleasedate:[1990-06 TO *]", lambda r: r.date >= "1990-06"),
        ("firstreleasedate:[* TO 1969-12-31]", lambda r: r.date and r.date < "1970"),
        ("-firstreleasedate:[* TO *]", lambda r: not r.date),
        ("tag:rock AND NOT firstreleasedate:[* TO *]", lambda r: rock(r) and not r.date),
        ("tag:rock AND (-firstreleasedate:[* TO *])", lambda r: False),
    ],
)  # fmt: skip
def test_queries_find_what_they_name(query, condition):
    """Tags word by word, dates by range; a parenthesis that only excludes finds nothing."""
    assert {recording.mbid for recording in found(query)} == expected(condition)


def test_ids_are_found():
    """By ISRC all its recordings, by artist all that credit them."""
    recording = CATALOGUE.recordings[0]
    isrc = CATALOGUE.tracks.isrc_at(recording.row)
    assert recording in found(f"isrc:{isrc.lower()} OR isrc:XX0000000000")
    assert len(found(f"isrc:{isrc}")) >= 2
    arid, _ = CATALOGUE.artists(recording)[0]
    assert len(found(f"arid:{arid}")) == len(CATALOGUE.by_artist[arid])
    assert found("isrc:XX0000000000") == []


@pytest.mark.parametrize(
    "query", ["title:rock", "video:maybe", "firstreleasedate:[1990 TO soon]", "tag:[a TO b]"]
)
def test_what_is_outside_of_the_subset_is_refused(query):
    """Other fields, and values that are none."""
    with pytest.raises(LuceneSyntaxError):
        STABLE.page(query, 0, 100)


def test_ties_move_on_every_page_anew():
    """Pages overlap and miss; equal requests get equal answers; scores stay in order."""
    query = "tag:rock AND video:false"
    hits = found(query, SHIFTING)
    assert len(hits) == len(found(query))
    assert len({*hits}) < len(hits)
    assert found(query, RecordingSearch(recordings(), 25)) == hits
    scores = [score for _, score in SHIFTING.page(query, 0, 100).recordings]
    assert scores == sorted(scores, reverse=True)
    assert SHIFTING.page(query, 0, 100) != SHIFTING.page(f"{query} ", 0, 100)


def test_the_count_is_about_right():
    """It differs between the pages, and is within one in a hundred."""
    n_hits = len(found("tag:rock"))
    counts = [STABLE.page("tag:rock", offset, 25).count for offset in range(0, 250, 25)]
    assert len({*counts}) > 1
    assert all(abs(count - n_hits) <= n_hits / 100 + 1 for count in counts)
    assert STABLE.page("tag:polka", 0, 25).count == 0


def test_an_empty_catalogue_has_no_hits():
    """Nothing fails on no recordings."""
    search = RecordingSearch(recordings(), 25)
    assert search.page("tag:rock", 1_000_000, 100).recordings == []
