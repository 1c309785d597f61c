"""Audio analysis: sections with keys relative to the tonic, harmony, timbre, descriptors."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Double,
    FromClause,
    Integer,
    Select,
    and_,
    case,
    cast,
    func,
    select,
)

from genrebase.store import tables
from genrebase.store.views import licence_columns, shared
from genrebase.store.views.definition import Providers, view
from genrebase.store.views.exact_sums import exact_sum

PITCH_NAMES: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_ANALYSIS: Final = {
    "track_id": shared.TRACK_REFERENCE["track_id"],
    "provider": "The provider of the analysis.",
}


def _is_preferred(summary: FromClause, providers: Providers) -> ColumnElement[bool]:
    """Return whether an analysis is by the first provider of one, in the order of preference."""
    other = tables.sound_summary.alias("other").c
    places = {name: place for place, name in enumerate(providers)}
    position = case(places, value=other.provider, else_=len(providers))
    first = (
        select(other.provider)
        .where(other.track_id == summary.c.track_id)
        .order_by(position, other.provider)
        .limit(1)
        .correlate(summary)
    )
    return summary.c.provider == first.scalar_subquery()


def _twelve(name: str, description: str, values: Sequence[object]) -> dict[str, str]:
    return {f"{name}_{number}": description.format(value) for number, value in enumerate(values)}


@view(
    "One row per section of an analysed track and provider: its key and tempo "
    "relative to the track's.",
    {
        **_ANALYSIS,
        "position": "The position among the track's sections; 0 is the first.",
        "start": "Seconds from the track's beginning.",
        "duration": "Seconds.",
        "confidence": "Confidence that a section begins here, 0 to 1.",
        "degree": "Semitones from the track's tonic up to the section's, 0 to 11; NULL where "
        "either key was not detected.",
        "numeral": "Degree and mode as a Roman numeral: upper case is major, lower case minor, b "
        "a flat; NULL where either was not detected.",
        "mode": "1 is major, 0 is minor; NULL: not detected.",
        "key_confidence": "Confidence in the key, 0 to 1.",
        "mode_confidence": "Confidence in the mode, 0 to 1.",
        "tempo_ratio": "The section's tempo divided by the track's; NULL: not detected.",
        "tempo_confidence": "Confidence in the tempo, 0 to 1.",
        "loudness": "Loudness in dB.",
    },
)
def sections(_providers: Providers) -> Select[Any]:
    return select(*tables.section.columns)


@view(
    "One row per analysed track: the keys of its sections relative to its tonic. A share is a "
    "part of the duration of the sections, each of which is weighted by the confidence in its key "
    "(minor_share: in its mode); a missing confidence counts as 1. minor_share is NULL if no "
    "section has a mode with a confidence above 0. The other shares are NULL if the track has no "
    "key, or if no section has a key with a confidence above 0.",
    {
        **_ANALYSIS,
        **_twelve(
            "degree", "Share of the time on degree {} (semitones above the tonic).", range(12)
        ),
        "minor_share": "Share of the time in minor, weighted by the confidence in the mode.",
        "repeated_share": "Share of the time in degrees that more than one section has.",
        "single_share": "Share of the time in degrees of only one section.",
        "degrees": "Number of distinct degrees.",
        "degree_changes": "Number of changes of degree from one section to the next.",
        "sections": "Number of sections.",
        "numerals": "The sections' numerals in order, joined by spaces; equal neighbours are "
        "merged, ? is unknown.",
        "key": "The track's tonic as a pitch class, 0 (C) to 11 (B); NULL: not detected.",
        "mode": "The track's mode: 1 is major, 0 is minor; NULL: not detected.",
        "key_confidence": "Confidence in the track's key, 0 to 1.",
        "mode_confidence": "Confidence in the track's mode, 0 to 1.",
        "fetched_at": "When the analysis was fetched.",
        **licence_columns.ANALYSIS_LICENCE,
    },
)
def harmony(providers: Providers) -> Select[Any]:
    summary = tables.sound_summary
    return select(
        *shared.columns(summary, "track_id provider"),
        *(summary.c[name] for name in tables.DEGREE_COLUMNS),
        *shared.columns(
            summary,
            "minor_share repeated_share single_share degrees degree_changes sections numerals "
            "key mode key_confidence mode_confidence fetched_at",
        ),
        licence_columns.of_analysis(summary),
    ).where(summary.c.sections > 0, _is_preferred(summary, providers))


@view(
    "One row per analysed track: mean and standard deviation of timbre and pitch over its "
    "segments of about a second, weighted by duration.",
    {
        **_ANALYSIS,
        **_twelve(
            "timbre_mean",
            "Mean of timbre coefficient {}; coefficient 0 represents loudness.",
            range(12),
        ),
        **_twelve("timbre_deviation", "Standard deviation of timbre coefficient {}.", range(12)),
        **_twelve("pitch_mean", "Mean strength, 0 to 1, of pitch class {}.", PITCH_NAMES),
        **_twelve(
            "pitch_deviation", "Standard deviation of the strength of pitch class {}.", PITCH_NAMES
        ),
        "segments": "Number of segments.",
        "fetched_at": "When the analysis was fetched.",
        **licence_columns.ANALYSIS_LICENCE,
    },
)
def timbres(providers: Providers) -> Select[Any]:
    summary = tables.sound_summary
    return select(
        *shared.columns(summary, "track_id provider"),
        *(summary.c[name] for name in (*tables.TIMBRE_COLUMNS, *tables.PITCH_COLUMNS)),
        *shared.columns(summary, "segments fetched_at"),
        licence_columns.of_analysis(summary),
    ).where(summary.c.segments > 0, _is_preferred(summary, providers))


@view(
    "One row per analysed track, provider and kind of matrix: packed features over time. "
    "`genrebase.audio.packed_matrices.unpack` returns them as an array.",
    {
        **_ANALYSIS,
        "kind": "The channels: `segments` has 12 timbre and 12 pitch values, loudness and "
        "duration; `logmel` the bands of a log-mel spectrogram.",
        "version": "The version of computation and packing.",
        "steps": "Number of rows, in time order.",
        "channels": "Number of columns.",
        "data": "The values row by row, as little-endian float16, compressed by zlib; empty if "
        "they are in a file.",
        "file_sha256": "SHA-256 of the file in STORE_MATRIX_FOLDER that has the values; NULL if "
        "`data` has them.",
        **licence_columns.ANALYSIS_LICENCE,
    },
)
def sound_matrices(_providers: Providers) -> Select[Any]:
    matrix = tables.sound_matrix
    return select(*matrix.columns, licence_columns.of_analysis(matrix))


@view(
    "One row per genre and progression in the sections of its labelled tracks: 2, 3 or 4 "
    "consecutive keys relative to the tonic, with equal neighbours merged.",
    {
        **shared.GENRE_REFERENCE,
        "progression": "Roman numerals, joined by spaces: upper case is major, lower case minor.",
        "length": "Number of keys: 2, 3 or 4.",
        "rank": "Its rank by weight among the genre's progressions of this length; 1 is the most "
        "common.",
        "tracks": "Tracks of the genre that have it.",
        "share": "Their share of the genre's analysed tracks, 0 to 1.",
        "weight": "For each track the lowest confidence among the keys, summed over the tracks.",
    },
)
def genre_progressions(providers: Providers) -> Select[Any]:
    track, summary, progression = tables.track, tables.sound_summary, tables.progression
    source, _verdict, label = shared.with_verdict(
        summary.join(track, track.c.id == summary.c.track_id)
    )
    analysed = (
        select(label.label("genre_id"), summary.c.track_id, summary.c.provider)
        .select_from(source)
        .where(label.is_not(None), summary.c.sections > 0, _is_preferred(summary, providers))
        .cte("analysed")
    )
    sizes = (
        select(analysed.c.genre_id, func.count().label("tracks"))
        .group_by(analysed.c.genre_id)
        .subquery("sizes")
    )
    of_track = and_(
        progression.c.track_id == analysed.c.track_id,
        progression.c.provider == analysed.c.provider,
    )
    counted = (
        select(
            analysed.c.genre_id,
            *shared.columns(progression, "numerals length"),
            func.count().label("tracks"),
            exact_sum(progression.c.confidence).label("weight"),
        )
        .select_from(analysed.join(progression, of_track))
        .group_by(analysed.c.genre_id, progression.c.numerals, progression.c.length)
        .subquery("counted")
    )
    rank = func.row_number().over(
        partition_by=(counted.c.genre_id, counted.c.length),
        order_by=(counted.c.weight.desc(), counted.c.tracks.desc(), counted.c.numerals),
    )
    genre = tables.genre
    return select(
        *shared.columns(genre, "id:genre_id name:genre"),
        *shared.columns(counted, "numerals:progression length"),
        cast(rank, Integer).label("rank"),
        cast(counted.c.tracks, Integer).label("tracks"),
        (cast(counted.c.tracks, Double) / sizes.c.tracks).label("share"),
        counted.c.weight,
    ).select_from(
        counted.join(genre, genre.c.id == counted.c.genre_id).join(
            sizes, sizes.c.genre_id == counted.c.genre_id
        )
    )


@view(
    "One row per track, provider and descriptor set: packed descriptors of the whole track. "
    "`genrebase.audio.packed_vectors.unpack` returns them as an array.",
    {
        **_ANALYSIS,
        "schema": "The descriptor set: `genrebase-1` is what Genrebase extracts from a file; "
        "its first 518 values are those of `fma518`.",
        "data": "The values in the order of the set's columns, as little-endian float32, "
        "compressed by zlib; NaN where one is undefined.",
        "fetched_at": "When they were computed or imported.",
        **licence_columns.DESCRIPTORS_LICENCE,
    },
)
def track_descriptors(_providers: Providers) -> Select[Any]:
    descriptor = tables.descriptor
    return select(*descriptor.columns, licence_columns.of_descriptors(descriptor))


@view(
    "One row per descriptor set.",
    {
        "schema": "The name of the descriptor set. Its meaning never changes.",
        "columns": "The names of its values in order, a JSON list.",
    },
)
def descriptor_schemas(_providers: Providers) -> Select[Any]:
    schema = tables.descriptor_schema.c
    return select(schema.name.label("schema"), schema["columns"])
