"""What a model card says about licences."""

import pytest

from classifier import licence_terms
from classifier.data_sources import LeftOut, SourceCount, TrainingSources


def sources(*labels: tuple[str, str], features: tuple[tuple[str, str], ...] = ()):
    return TrainingSources(
        "any",
        "artist",
        tuple(SourceCount(source, licence, 10) for source, licence in labels),
        tuple(SourceCount(source, licence, 10) for source, licence in features),
    )


@pytest.mark.parametrize(
    ("licence", "title"),
    [
        ("cc-by-nc-sa-3.0", "CC BY-NC-SA 3.0"),
        ("cc-by", "CC BY"),
        ("cc0", "CC0"),
        ("odbl-1.0", "ODbL 1.0"),
    ],
)
def test_licences_have_their_usual_names(licence: str, title: str) -> None:
    assert licence_terms.title(licence) == title


def test_each_class_has_a_paragraph() -> None:
    """It names licences and sources, and what the licences ask for; the least free is last."""
    used = sources(
        ("spotify", "terms"),
        ("musicbrainz", "cc-by-nc-sa-3.0"),
        ("fma", "cc-by-4.0"),
        ("verdict", "own"),
        features=(("acousticbrainz", "cc0"), ("reccobeats", "unknown")),
    )
    paragraphs = licence_terms.publishing_paragraphs(used)
    own, opened, noncommercial, unknown, restricted, last = paragraphs
    assert own.startswith("Labels under your own annotations (verdict).")
    assert opened == (
        "Labels under CC BY 4.0 (fma) and features under CC0 (acousticbrainz). The model may be "
        "published and used for every purpose; credit fma."
    )
    assert noncommercial == (
        "Labels under CC BY-NC-SA 3.0 (musicbrainz). Publish and use the model for "
        "non-commercial purposes only; credit musicbrainz; share it alike (CC BY-NC-SA 3.0)."
    )
    assert unknown.startswith("Features under an unknown licence (reccobeats). Nothing can")
    assert "Spotify's Developer Terms forbid" in restricted
    assert "(`classifier snapshot --ids-only`)" in restricted
    assert last == licence_terms.NOT_ADVICE


def test_the_most_restrictive_class_is_the_model_s() -> None:
    assert sources(("discogs", "cc0")).licence_class == "open"
    mixed = sources(("discogs", "cc0"), features=(("x", "unknown"), ("y", "cc-by-nc-4.0")))
    assert mixed.licence_class == "unknown"
    assert sources(("verdict", "own")).licence_class == "own"
    assert sources(("discogs", "cc0"), ("spotify", "terms")).licence_class == "restricted"


def test_sources_are_stored_as_json_and_read_again() -> None:
    count = SourceCount("spotify", "terms", 9000)
    left_out = LeftOut((count,), (count,), (count,), 3, 4)
    used = TrainingSources("open", "release", (count,), (count,), left_out)
    assert TrainingSources.from_json(used.as_json()) == used
    sentences = " ".join(left_out.sentences("open", "release"))
    assert "labels: 9,000 from spotify (terms)" in sentences
    assert "4 tracks have no label" in sentences
    assert [*LeftOut(tracks=1).sentences("open", "artist")] == [
        "1 track has no label without them."
    ]


@pytest.mark.parametrize(
    ("left_out", "is_hinted"),
    [
        (LeftOut(labels=(SourceCount("csv:tracks", "unknown", 9),)), True),
        (LeftOut(features=(SourceCount("csv", "unknown", 9),)), True),
        (LeftOut(labels=(SourceCount("audio", "unknown", 9),)), True),
        (LeftOut(labels=(SourceCount("csv:tracks", "cc-by-nc-4.0", 9),)), False),
        (LeftOut(labels=(SourceCount("internetarchive", "unknown", 9),)), False),
        (LeftOut(features=(SourceCount("reccobeats", "unknown", 9),)), False),
        (LeftOut(features=(SourceCount("audio", "unknown", 9),)), False),
    ],
)
def test_only_imports_are_to_be_repeated_with_a_licence(
    left_out: LeftOut, is_hinted: bool
) -> None:
    """Nobody can state the licence of what a service delivered."""
    sentences = " ".join(left_out.sentences("open", "artist"))
    assert ("importing it again with --licence" in sentences) is is_hinted
