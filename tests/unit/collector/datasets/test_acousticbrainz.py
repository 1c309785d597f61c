"""Numbers of AcousticBrainz' CSV dumps and of low-level documents."""

import pytest

from collector.acousticbrainz_submissions import Submission
from collector.datasets.acousticbrainz import CsvColumns, parse_document

MBID = "0dad432b-16cc-4bf0-8961-fd31d124b01b"

DOCUMENT = {
    "lowlevel": {
        "average_loudness": 0.05,
        "dynamic_complexity": 6.25,
        "mfcc": {"mean": [-870.5, 120.0], "cov": [[1.0]]},
    },
    "rhythm": {
        "bpm": 148.25,
        "bpm_histogram_first_peak_bpm": {"mean": 148, "median": 148, "var": 0},
        "bpm_histogram_second_peak_bpm": {"mean": 136},
        "danceability": 1.0918302536,
        "onset_rate": 4.5,
    },
    "tonal": {
        "key_key": "A#",
        "key_scale": "minor",
        "key_strength": 0.75,
        "tuning_frequency": 438.5,
        "tuning_equal_tempered_deviation": 0.03,
    },
}


def test_a_document() -> None:
    """Every number at its place in the document."""
    assert parse_document(DOCUMENT) == Submission(
        average_loudness=0.05,
        dynamic_complexity=6.25,
        mfcc_zero_mean=-870.5,
        bpm=148.25,
        bpm_first_peak=148.0,
        bpm_second_peak=136.0,
        danceability=1.0918302536,
        onset_rate=4.5,
        tuning_frequency=438.5,
        tuning_deviation=0.03,
        key_strength=0.75,
        key=10,
        mode=0,
    )


def test_a_document_of_a_newer_extractor() -> None:
    """It estimates several keys; that of EDM-A is AcousticBrainz' successor."""
    document = {"tonal": {"key_edma": {"key": "F", "scale": "major", "strength": 0.5}}}
    assert parse_document(document) == Submission(key=5, mode=1, key_strength=0.5)


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "text",
        {"rhythm": None, "tonal": [1], "lowlevel": {"mfcc": {"mean": []}}},
        {"rhythm": {"bpm": 0, "danceability": -1, "onset_rate": True}},
        {"rhythm": {"bpm": "many", "danceability": float("nan"), "onset_rate": {"mean": 1}}},
        {"lowlevel": {"average_loudness": 1.5}, "tonal": {"key_key": 5, "key_scale": "minor"}},
    ],
)
def test_unusable_values_are_missing(document: object) -> None:
    """Documents are somebody's: anything may stand anywhere."""
    assert parse_document(document) == Submission()


def test_rows_of_the_three_dumps() -> None:
    """Each dump has a part of the numbers; an empty cell is a missing one."""
    lowlevel = CsvColumns(
        ["mbid", "submission_offset", "average_loudness", "dynamic_complexity", "mfcc_zero_mean"]
    )
    assert (lowlevel.mbid, lowlevel.offset) == (0, 1)
    assert lowlevel.parse([MBID, "0", "0.9", "", "-700.25"]) == Submission(
        average_loudness=0.9, mfcc_zero_mean=-700.25
    )
    rhythm = CsvColumns(
        [
            "mbid",
            "submission_offset",
            "bpm",
            "bpm_histogram_first_peak_bpm_mean",
            "bpm_histogram_first_peak_bpm_median",
            "bpm_histogram_second_peak_bpm_mean",
            "bpm_histogram_second_peak_bpm_median",
            "danceability",
            "onset_rate",
        ]
    )
    row = [MBID, "1", "89.5", "90", "90", "45.0", "45.0", "1.2", "3.5"]
    assert rhythm.parse(row) == Submission(
        bpm=89.5, bpm_first_peak=90, bpm_second_peak=45, danceability=1.2, onset_rate=3.5
    )
    tonal = CsvColumns(
        [
            "mbid",
            "submission_offset",
            "key_key",
            "key_scale",
            "tuning_frequency",
            "tuning_equal_tempered_deviation",
        ]
    )
    assert tonal.parse([MBID, "0", "C#", "major", "440.0", "0.1"]) == Submission(
        key=1, mode=1, tuning_frequency=440.0, tuning_deviation=0.1
    )


def test_a_damaged_row() -> None:
    """Numbers out of range, text and missing cells are missing values."""
    rhythm = CsvColumns(["mbid", "bpm", "danceability", "onset_rate"])
    assert rhythm.parse([MBID, "0", "fast"]) == Submission()
    tonal = CsvColumns(["mbid", "key_key", "key_scale"])
    assert tonal.parse([MBID]) == tonal.parse([MBID, "X", "minor"]) == Submission()


def test_another_table() -> None:
    """A header without the dumps' columns has no numbers."""
    assert CsvColumns(["title", "artist"]).numbers == ()
