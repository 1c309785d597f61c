"""What AcousticBrainz has of each recording."""

import statistics

import pytest

from sandbox.synthetic.essentia_documents import (
    SELECTABLE,
    high_level_document,
    low_level_document,
    selected_features,
)
from sandbox.tracks.submissions import KNOWN_SHARE, LAST_YEAR, SubmissionCatalogue
from tests.recording_catalogues import mbid, recordings, tracks_with_mbids

KEYS = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
CATALOGUE = recordings()
SUBMISSIONS = SubmissionCatalogue(CATALOGUE)
ALL = list(SUBMISSIONS.all_submissions())
FIRST = [submission for submission in ALL if submission.offset == 0]


def test_submissions_are_deterministic():
    """In order of MBID and offset; another run has the same."""
    assert [(each.mbid, each.offset) for each in ALL] == sorted(
        (each.mbid, each.offset) for each in ALL
    )
    assert list(SubmissionCatalogue(recordings()).all_submissions()) == ALL
    assert SUBMISSIONS.submission(ALL[0].mbid, 99) is None
    assert SUBMISSIONS.count("none") == 0


def test_recordings_after_its_end_are_missing():
    """So are videos, and one in ten of the others; merged ones stand under their old id."""
    possible = [
        recording
        for recording in CATALOGUE.recordings
        if recording.date[:4] <= LAST_YEAR and not recording.is_video
    ]
    existing = {submission.recording.mbid for submission in ALL}
    assert existing <= {recording.mbid for recording in possible}
    assert len(existing) / len(possible) == pytest.approx(KNOWN_SHARE, rel=0.03)
    for recording in possible:
        if recording.mbid in existing and recording.old_mbid:
            assert SUBMISSIONS.count(recording.old_mbid)
    merged = [each for each in possible if each.mbid in existing and each.old_mbid]
    under_both = sum(bool(SUBMISSIONS.count(recording.mbid)) for recording in merged)
    assert under_both / len(merged) == pytest.approx(0.5, rel=0.35)


def test_numbers_agree_with_spotify_as_measured():
    """Tempo within 4% in 82%, half or double in 11%; the key equal in 34%, a fifth off in 23%."""
    features = [CATALOGUE.tracks.features_at(each.recording.row) for each in FIRST]
    ratios = [each.bpm / track["tempo"] for each, track in zip(FIRST, features, strict=True)]
    steps = [
        (KEYS.index(each.key) - int(track["key"])) % 12
        for each, track in zip(FIRST, features, strict=True)
    ]
    shares = [
        (sum(abs(ratio - 1) < 0.04 for ratio in ratios), 0.82),
        (sum(step == 0 for step in steps), 0.34),
        (sum(step in {5, 7} for step in steps), 0.23 + 0.43 * 2 / 11),
    ]
    for number, expected in shares:
        assert number / len(FIRST) == pytest.approx(expected, rel=0.12)
    assert all(0 < each.average_loudness <= 1 and 0.3 <= each.danceability <= 3 for each in ALL)


def test_several_submissions_differ_a_little():
    """Up to 9 of a recording; most have nearly its tempo, some are of another version."""
    further = [each for each in ALL if each.offset]
    assert {each.offset for each in ALL} >= {0, 1, 2, 3}
    distances = [abs(each.bpm - SUBMISSIONS.submission(each.mbid, 0).bpm) for each in further]
    assert statistics.median(distances) < 0.2
    assert 0 < sum(distance > 5 for distance in distances) / len(further) < 0.15


def test_a_table_with_numbers_is_served_as_it_is():
    """One submission for each recording that has a tempo; cells that are missing are derived."""
    submissions = SubmissionCatalogue(recordings(tracks_with_mbids()))
    first, second = submissions.all_submissions()
    assert (first.mbid, first.bpm, first.key, first.scale) == (mbid(1), 120.25, "A", "minor")
    assert (first.average_loudness, first.danceability, first.dynamic_complexity) == (
        0.9,
        1.1,
        3.5,
    )
    assert (second.bpm, second.key, second.scale) == (98.5, "C", "major")
    assert 0 < first.key_strength < 1
    assert submissions.count(mbid(3)) == 0


def numbers_in(value):
    if isinstance(value, dict):
        return sum(map(numbers_in, value.values()))
    if isinstance(value, list):
        return sum(map(numbers_in, value))
    return isinstance(value, int | float)


def test_low_level_documents():
    """About 3,000 numbers, those of the submission among them; the file's own tags."""
    submission = FIRST[0]
    document = low_level_document(submission, CATALOGUE)
    assert {*document} == {"lowlevel", "metadata", "rhythm", "tonal"}
    assert 2_800 < numbers_in(document) < 3_400
    assert document == low_level_document(submission, CATALOGUE)
    assert document["rhythm"]["bpm"] == submission.bpm
    assert document["lowlevel"]["mfcc"]["mean"][0] == submission.mfcc_zero
    statistics_of = {"dmean", "dmean2", "dvar", "dvar2", "max", "mean", "median", "min", "var"}
    assert {*document["lowlevel"]["spectral_centroid"]} == statistics_of
    assert [len(values) for values in document["lowlevel"]["melbands"].values()] == [40] * 9
    tags = document["metadata"]["tags"]
    assert tags["musicbrainz_recordingid"] == [submission.mbid]
    assert all(isinstance(texts, list) for texts in tags.values())


def test_selected_features_are_those_of_the_document():
    """Nested as there; names that cannot be selected are left out."""
    document = low_level_document(FIRST[0], CATALOGUE)
    selected = selected_features(FIRST[0], CATALOGUE, [*SELECTABLE, "lowlevel.mfcc.mean"])
    for name in SELECTABLE:
        whole, part = document, selected
        for key in name.split("."):
            whole, part = whole[key], part[key]
        assert whole == part
    assert {*selected["lowlevel"]} == {"average_loudness", "dynamic_complexity"}
    assert selected_features(FIRST[0], CATALOGUE, ["lowlevel.mfcc.mean"]) == {}


def test_high_level_documents():
    """Eighteen classifiers with probabilities that add up to 1."""
    document = high_level_document(FIRST[0], CATALOGUE)
    assert len(document["highlevel"]) == 18
    for guess in document["highlevel"].values():
        assert sum(guess["all"].values()) == pytest.approx(1)
        assert guess["probability"] == guess["all"][guess["value"]] == max(guess["all"].values())
    assert {*document["metadata"]["version"]} == {"highlevel", "lowlevel"}
