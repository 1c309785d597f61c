"""How tracks sound, section by section: keys by their distance from the tonic, timbre, pitch."""

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
from genrebase.store.views import shared
from genrebase.store.views.definition import Providers, view

_TRACK: Final = {"track_id": shared.TRACK_DESCRIPTIONS["track_id"], "provider": "Who analysed it."}


def _is_chosen(summary: FromClause, providers: Providers) -> ColumnElement[bool]:
    """Return the condition that an analysis is that of its track's provider to trust most."""
    other = tables.sound_summary.alias("other")
    place = case(
        {name: place for place, name in enumerate(providers)},
        value=other.c.provider,
        else_=len(providers),
    )
    chosen = (
        select(other.c.provider)
        .where(other.c.track_id == summary.c.track_id)
        .order_by(place, other.c.provider)
        .limit(1)
        .correlate(summary)
        .scalar_subquery()
    )
    return summary.c.provider == chosen


def _sections(_providers: Providers) -> Select[Any]:
    return select(*tables.section.columns)


def _harmony(providers: Providers) -> Select[Any]:
    summary = tables.sound_summary
    return select(
        summary.c.track_id,
        summary.c.provider,
        *(summary.c[name] for name in tables.DEGREE_COLUMNS),
        summary.c.minor_share,
        summary.c.repeated_share,
        summary.c.single_share,
        summary.c.degrees,
        summary.c.degree_changes,
        summary.c.sections,
        summary.c.numerals,
        summary.c.key,
        summary.c.mode,
        summary.c.key_confidence,
        summary.c.mode_confidence,
        summary.c.fetched_at,
    ).where(summary.c.sections > 0, _is_chosen(summary, providers))


def _timbres(providers: Providers) -> Select[Any]:
    summary = tables.sound_summary
    return select(
        summary.c.track_id,
        summary.c.provider,
        *(summary.c[name] for name in (*tables.TIMBRE_COLUMNS, *tables.PITCH_COLUMNS)),
        summary.c.segments,
        summary.c.fetched_at,
    ).where(summary.c.segments > 0, _is_chosen(summary, providers))


def _sound_matrices(_providers: Providers) -> Select[Any]:
    return select(*tables.sound_matrix.columns)


def _descriptor_schemas(_providers: Providers) -> Select[Any]:
    schema = tables.descriptor_schema
    return select(schema.c.name.label("schema"), schema.c["columns"])


def _track_descriptors(_providers: Providers) -> Select[Any]:
    return select(*tables.descriptor.columns)


def _genre_progressions(providers: Providers) -> Select[Any]:
    track, summary, heard = tables.track, tables.sound_summary, tables.progression
    verdict, is_latest = shared.latest_verdict()
    label = func.coalesce(verdict.c.genre_id, track.c.genre_id)
    analysed = (
        select(label.label("genre_id"), summary.c.track_id, summary.c.provider)
        .select_from(
            summary.join(track, track.c.id == summary.c.track_id).outerjoin(verdict, is_latest)
        )
        .where(label.is_not(None), summary.c.sections > 0, _is_chosen(summary, providers))
        .cte("analysed")
    )
    sizes = (
        select(analysed.c.genre_id, func.count().label("tracks"))
        .group_by(analysed.c.genre_id)
        .subquery("sizes")
    )
    of_track = and_(
        heard.c.track_id == analysed.c.track_id, heard.c.provider == analysed.c.provider
    )
    counted = (
        select(
            analysed.c.genre_id,
            heard.c.numerals,
            heard.c.length,
            func.count().label("tracks"),
            func.sum(heard.c.confidence).label("weight"),
        )
        .select_from(analysed.join(heard, of_track))
        .group_by(analysed.c.genre_id, heard.c.numerals, heard.c.length)
        .subquery("counted")
    )
    rank = func.row_number().over(
        partition_by=(counted.c.genre_id, counted.c.length),
        order_by=(counted.c.weight.desc(), counted.c.tracks.desc(), counted.c.numerals),
    )
    genre = tables.genre
    return select(
        genre.c.id.label("genre_id"),
        genre.c.name.label("genre"),
        counted.c.numerals.label("progression"),
        counted.c.length,
        cast(rank, Integer).label("rank"),
        cast(counted.c.tracks, Integer).label("tracks"),
        (cast(counted.c.tracks, Double) / sizes.c.tracks).label("share"),
        counted.c.weight,
    ).select_from(
        counted.join(genre, genre.c.id == counted.c.genre_id).join(
            sizes, sizes.c.genre_id == counted.c.genre_id
        )
    )


def _twelve(name: str, what: str) -> dict[str, str]:
    return {f"{name}_{number}": what.format(number) for number in range(12)}


_PITCH_NAMES: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

sections = view(
    "sections",
    "One row per section of an analysed track, and per provider who analysed it: its key by its "
    "distance from the track's own, its tempo by the track's.",
    {
        **_TRACK,
        "position": "The place among the track's sections; 0 is the first.",
        "start": "Seconds from the track's beginning.",
        "duration": "Seconds.",
        "confidence": "How sure it is that a section begins here, 0 to 1.",
        "degree": "Semitones from the track's tonic up to the section's, 0 to 11; NULL where "
        "either key was not found.",
        "numeral": "Degree and mode as a Roman numeral: upper case is major, lower case minor, b "
        "a flat; NULL where either was not found.",
        "mode": "1 is major, 0 is minor; NULL: not found.",
        "key_confidence": "How sure the key is, 0 to 1.",
        "mode_confidence": "How sure the mode is, 0 to 1.",
        "tempo_ratio": "The section's tempo divided by the track's; NULL: not found.",
        "tempo_confidence": "How sure the tempo is, 0 to 1.",
        "loudness": "Loudness in dB.",
    },
    _sections,
)

harmony = view(
    "harmony",
    "One row per analysed track: where its sections stand to its tonic. Shares are of the "
    "sections' time, each weighted by how sure its key is; all are NULL where no key is known.",
    {
        **_TRACK,
        **{
            name: f"Share of the time {number} semitones above the tonic, 0 to 1."
            for number, name in enumerate(tables.DEGREE_COLUMNS)
        },
        "minor_share": "Share of the time in minor, weighted by how sure the mode is.",
        "repeated_share": "Share of the time in degrees that several sections have.",
        "single_share": "Share of the time in degrees that only one section has.",
        "degrees": "How many different degrees there are.",
        "degree_changes": "How often the degree changes from one section to the next.",
        "sections": "How many sections there are.",
        "numerals": "The sections' numerals in order, joined by blanks; equal neighbours are one, "
        "? is not known.",
        "key": "The track's tonic as a pitch class, 0 (C) to 11 (B); NULL: not found.",
        "mode": "The track's mode: 1 is major, 0 is minor; NULL: not found.",
        "key_confidence": "How sure the track's key is, 0 to 1.",
        "mode_confidence": "How sure the track's mode is, 0 to 1.",
        "fetched_at": "When the analysis was fetched.",
    },
    _harmony,
)

timbres = view(
    "timbres",
    "One row per analysed track: mean and deviation of timbre and pitch over its segments, sounds "
    "of about a second, weighted by their duration.",
    {
        **_TRACK,
        **_twelve("timbre_mean", "Mean of coefficient {} of the timbre; 0 is about loudness."),
        **_twelve("timbre_deviation", "Standard deviation of coefficient {} of the timbre."),
        **{
            f"pitch_mean_{number}": f"Mean strength of the pitch class {name}, 0 to 1."
            for number, name in enumerate(_PITCH_NAMES)
        },
        **{
            f"pitch_deviation_{number}": "Standard deviation of the strength of the pitch class "
            f"{name}."
            for number, name in enumerate(_PITCH_NAMES)
        },
        "segments": "How many segments there are.",
        "fetched_at": "When the analysis was fetched.",
    },
    _timbres,
)

sound_matrices = view(
    "sound_matrices",
    "One row per analysed track, provider and kind of matrix: figures over time, packed. "
    "`genrebase.audio.packed_matrices.unpack` makes an array of them.",
    {
        **_TRACK,
        "kind": "What the channels are: `segments` has 12 values of timbre, 12 of pitch, loudness "
        "and duration; `logmel` the bands of a log-mel spectrogram.",
        "version": "The version of the way it was made and packed.",
        "steps": "Rows, in the order of time.",
        "channels": "Columns.",
        "data": "The values by rows, as little-endian float16, compressed by zlib.",
    },
    _sound_matrices,
)

genre_progressions = view(
    "genre_progressions",
    "One row per genre and progression that a labelled track's sections run through: 2, 3 or 4 "
    "keys one after another, by their distance from the tonic, equal neighbours taken as one.",
    {
        "genre_id": "The genre's number.",
        "genre": "The label of the tracks counted.",
        "progression": "Roman numerals, joined by blanks: upper case is major, lower case minor.",
        "length": "How many keys it runs through: 2, 3 or 4.",
        "rank": "Its place among the genre's progressions of this length, by weight; 1 is the "
        "commonest.",
        "tracks": "Tracks of the genre that have it.",
        "share": "Their share of the genre's analysed tracks, 0 to 1.",
        "weight": "The tracks, each counted by how sure the least sure of the keys is: an unsure "
        "one counts less.",
    },
    _genre_progressions,
)

track_descriptors = view(
    "track_descriptors",
    "One row per described track, provider and set of values: what a sound is like on the whole, "
    "packed. `genrebase.audio.packed_vectors.unpack` makes an array of them.",
    {
        **_TRACK,
        "schema": "The set: `genrebase-1` is what Genrebase hears in a file, whose first 518 "
        "values are those of `fma518`.",
        "data": "The values in the order of the set's columns, as little-endian float32, "
        "compressed by zlib; NaN where one is not defined.",
        "fetched_at": "When they were computed or imported.",
    },
    _track_descriptors,
)

descriptor_schemas = view(
    "descriptor_schemas",
    "One row per set of values that describe sounds.",
    {
        "schema": "The set's name. What a name means never changes.",
        "columns": "The names of its values in their order, a JSON list.",
    },
    _descriptor_schemas,
)
