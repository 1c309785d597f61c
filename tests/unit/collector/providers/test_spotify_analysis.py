"""Parsing of Spotify's audio analyses."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import UnusableResponse
from collector.providers import spotify_analysis
from collector.providers.spotify_analysis import parse_analysis
from genrebase.audio.harmony import TrackKey

SECTION = {
    "start": 0.0,
    "duration": 20.0,
    "confidence": 1.0,
    "loudness": -9.5,
    "tempo": 60.0,
    "tempo_confidence": 0.5,
    "key": 7,
    "key_confidence": 0.8,
    "mode": 0,
    "mode_confidence": 0.7,
}
SEGMENT = {
    "start": 0.0,
    "duration": 0.5,
    "loudness_max": -10.0,
    "pitches": [0.5] * 12,
    "timbre": [40.0, *[0.0] * 11],
}
TRACK = {"key": 0, "key_confidence": 0.9, "mode": 1, "mode_confidence": 0.6, "tempo": 120.0}


def analysis(**changes: Any) -> dict[str, Any]:
    return {"track": TRACK, "sections": [SECTION], "segments": [SEGMENT], **changes}


def test_parses_a_complete_analysis() -> None:
    """A complete analysis fills every field."""
    parsed = parse_analysis(analysis())
    assert parsed.track_key == TrackKey(0, 1, 0.9, 0.6, 120.0)
    (section,) = parsed.sections
    assert (section.degree, section.numeral, section.mode) == (7, "v", 0)
    assert (section.tempo_ratio, section.tempo_confidence) == (0.5, 0.5)
    assert (section.confidence, section.key_confidence, section.mode_confidence) == (1, 0.8, 0.7)
    assert (section.start, section.duration, section.loudness) == (0, 20, -9.5)
    assert parsed.timbre is not None
    assert (parsed.timbre.segments, parsed.timbre.timbre_means[0]) == (1, 40)
    assert parsed.timbre.pitch_means == (0.5,) * 12
    (matrix,) = parsed.matrices
    assert (matrix.steps, matrix.channels) == (1, 26)


def test_placeholders_become_none() -> None:
    """Key -1, mode -1 and tempo 0 become None; the section stays."""
    unknown = {**SECTION, "key": -1, "mode": -1, "tempo": 0, "key_confidence": None}
    parsed = parse_analysis(analysis(sections=[unknown]))
    (section,) = parsed.sections
    assert (section.degree, section.numeral, section.mode) == (None, None, None)
    assert (section.tempo_ratio, section.key_confidence) == (None, None)


@pytest.mark.parametrize(
    "broken",
    [
        None,
        [],
        {**SECTION, "start": None},
        {**SECTION, "start": -1},
        {**SECTION, "duration": 0},
        {**SECTION, "duration": "x" * 10_000_000},
    ],
)
def test_a_section_without_a_position_is_dropped(broken: object) -> None:
    """One broken section does not cost the others."""
    assert len(parse_analysis(analysis(sections=[broken, SECTION])).sections) == 1


@pytest.mark.parametrize(
    "broken",
    [
        None,
        {**SEGMENT, "timbre": [1.0] * 11},
        {**SEGMENT, "timbre": [1e300, *[0.0] * 11]},
        {**SEGMENT, "timbre": "loud"},
        {**SEGMENT, "pitches": [2.0] * 12},
        {**SEGMENT, "pitches": [None] * 12},
        {**SEGMENT, "loudness_max": math.nan},
        {**SEGMENT, "duration": -1},
    ],
)
def test_an_incomplete_segment_is_dropped(broken: object) -> None:
    """One broken segment does not cost the others."""
    parsed = parse_analysis(analysis(segments=[broken, SEGMENT]))
    assert parsed.timbre is not None
    assert parsed.timbre.segments == 1


def test_parts_are_sorted_by_time() -> None:
    """Sections and segments in another order are sorted."""
    second = {**SECTION, "start": 20.0, "key": 0, "mode": 1}
    later = {**SEGMENT, "start": 0.5, "timbre": [90.0] * 12}
    parsed = parse_analysis(analysis(sections=[second, SECTION], segments=[later, SEGMENT]))
    assert [one.start for one in parsed.sections] == [0, 20]
    assert parsed.harmony.numerals == "v I"
    assert parsed.matrices == parse_analysis(analysis(segments=[SEGMENT, later])).matrices


@pytest.mark.parametrize("parts", ["sections", "segments"])
def test_sections_or_segments_are_enough(parts: str) -> None:
    """Sections without segments are kept, and segments without sections."""
    parsed = parse_analysis(analysis(**{parts: None}))
    assert (len(parsed.sections), len(parsed.matrices)) == (
        (0, 1) if parts == "sections" else (1, 0)
    )
    assert parse_analysis(analysis(track="gone")).harmony.shares is None


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ([], "no object"),
        ({}, "neither sections nor segments"),
        (analysis(sections=[{}], segments=[{}]), "neither sections nor segments"),
        (analysis(sections=[SECTION] * (spotify_analysis.MAX_SECTIONS + 1)), "1,001 sections"),
        (analysis(segments=[{}] * (spotify_analysis.MAX_SEGMENTS + 1)), "50,001 segments"),
    ],
)
def test_other_documents_are_refused(raw: Any, reason: str) -> None:
    """An empty or far too large analysis raises a reason."""
    with pytest.raises(UnusableResponse, match=reason):
        parse_analysis(raw)


names = st.sampled_from([*SECTION, *SEGMENT, "track", "sections", "segments"])
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
    *(st.lists(one, min_size=12, max_size=12) for one in (st.floats(), st.floats(0, 1))),
)  # fmt: skip
objects = st.dictionaries(names, leaves, max_size=9)
parts = st.lists(
    st.one_of(
        leaves,
        objects.map(lambda changes: {**SECTION, **changes}),
        objects.map(lambda changes: {**SEGMENT, **changes}),
    ),
    max_size=4,
)


@given(
    st.fixed_dictionaries(
        {
            "track": st.one_of(leaves, objects.map(lambda changes: {**TRACK, **changes})),
            "sections": st.one_of(leaves, parts),
            "segments": st.one_of(leaves, parts),
        }
    )
)
def test_nothing_malformed_crashes(raw: dict[str, Any]) -> None:
    """Any response is parsed, with values in range, or raises a reason."""
    try:
        parsed = parse_analysis(raw)
    except UnusableResponse:
        return
    for section in parsed.sections:
        assert section.degree is None or 0 <= section.degree <= 11
        assert section.tempo_ratio is None or 0.0025 <= section.tempo_ratio <= 400
        assert section.duration > 0
    if parsed.timbre is not None:
        assert all(0 <= one <= 1 for one in parsed.timbre.pitch_means)
        assert all(math.isfinite(one) for one in parsed.timbre.timbre_deviations)
