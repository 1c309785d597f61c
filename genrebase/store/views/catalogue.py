"""Tracks with all their columns, their credited artists and the genres they were seen under."""

from typing import Any

from sqlalchemy import Select, Text, case, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from genrebase.store import tables
from genrebase.store.views import shared
from genrebase.store.views.definition import Providers, view


class monday_of(GenericFunction[str]):  # noqa: N801 - SQL functions are written so
    """The Monday of a time's week, in UTC, as text."""

    type = Text()
    inherit_cache = True


@compiles(monday_of, "postgresql")
def _postgresql(element: Any, compiler: Any, **options: Any) -> str:
    time = compiler.process(element.clauses, **options)
    return f"to_char(date_trunc('week', {time} AT TIME ZONE 'UTC'), 'YYYY-MM-DD')"


@compiles(monday_of, "sqlite")
def _sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"date({compiler.process(element.clauses, **options)}, 'weekday 0', '-6 days')"


def _tracks(providers: Providers) -> Select[Any]:
    track = tables.track
    labelled = shared.labelled_tracks()
    source, features = shared.with_features(labelled.source, providers)
    alias = tables.track_alias
    spotify_id = (  # not a WHERE on the source: SQLite would scan all Spotify ids
        select(func.min(case((alias.c.source == "spotify", alias.c.source_id))))
        .where(alias.c.track_id == track.c.id)
        .correlate(track)
        .scalar_subquery()
    )
    return select(
        *shared.track_reference(),
        *shared.columns(
            track,
            "album release_date release_year duration_ms explicit popularity isrc",
        ),
        spotify_id.label("spotify_id"),
        track.c.origin,
        labelled.claim,
        labelled.verdict,
        labelled.label,
        shared.genres_sighted(),
        features.c.provider,
        *shared.feature_columns(features),
        *shared.columns(
            track,
            "track_fold side split first_seen_at last_seen_at updated_at identity",
        ),
        monday_of(track.c.first_seen_at).label("first_seen_week"),
    ).select_from(source)


def _track_credits(_providers: Providers) -> Select[Any]:
    credit, artist = tables.track_artist, tables.artist
    return select(
        credit.c.track_id,
        credit.c.artist_id,
        credit.c.position,
        artist.c.name.label("artist"),
        artist.c.fold,
    ).select_from(credit.join(artist))


def _track_genres(_providers: Providers) -> Select[Any]:
    sighting, genre, track = tables.sighting, tables.genre, tables.track
    is_claim = func.coalesce(track.c.genre_id == sighting.c.genre_id, False)
    return select(
        sighting.c.track_id,
        sighting.c.genre_id,
        genre.c.name.label("genre"),
        sighting.c.best_rank,
        sighting.c.times,
        is_claim.label("is_claim"),
        sighting.c.first_seen_at,
        sighting.c.last_seen_at,
    ).select_from(sighting.join(genre).join(track, track.c.id == sighting.c.track_id))


tracks = view(
    "tracks",
    "One row per track: metadata and features.",
    {
        **shared.TRACK_REFERENCE,
        "album": shared.TRACK_DESCRIPTIONS["album"],
        "release_date": "YYYY, YYYY-MM or YYYY-MM-DD, NULL where unknown.",
        "release_year": shared.TRACK_DESCRIPTIONS["release_year"],
        "duration_ms": shared.TRACK_DESCRIPTIONS["duration_ms"],
        "explicit": shared.TRACK_DESCRIPTIONS["explicit"],
        "popularity": shared.TRACK_DESCRIPTIONS["popularity"],
        "isrc": "The International Standard Recording Code, NULL where unknown.",
        "spotify_id": "Its Spotify ID, NULL without one; of several, the first in sort order.",
        "origin": "The source that delivered it first: spotify, csv:FILE, audio and so on.",
        **shared.LABEL_DESCRIPTIONS,
        "genres_sighted": "The number of genres with a sighting of it.",
        **shared.FEATURE_DESCRIPTIONS,
        **shared.SPLIT_DESCRIPTIONS,
        "split": "Its subset in a dataset's published split, NULL without one.",
        "first_seen_at": "When it was first delivered.",
        "last_seen_at": "When it was last delivered.",
        "updated_at": "When its metadata last changed.",
        "identity": "The unique name: normalised title and primary artist and, from the second "
        "recording of that name, its ordinal.",
        "first_seen_week": "The Monday of the week in which it was first delivered, YYYY-MM-DD.",
    },
    _tracks,
)

track_credits = view(
    "track_credits",
    "One row per track and credited artist.",
    {
        "track_id": shared.TRACK_REFERENCE["track_id"],
        "artist_id": "The artist's ID.",
        "position": "The position among the credits; 0 is the primary artist.",
        "artist": "The artist's name.",
        "fold": "The fold of the artist's name, 0 to 9; it never changes.",
    },
    _track_credits,
)

track_genres = view(
    "track_genres",
    "One row per track and genre with a sighting of it.",
    {
        "track_id": shared.TRACK_REFERENCE["track_id"],
        "genre_id": "The genre's ID.",
        "genre": "The genre's name.",
        "best_rank": "Its best rank in the genre's search results; 0 is the first.",
        "times": "Number of sightings for the genre.",
        "is_claim": "Whether this is the track's claim.",
        "first_seen_at": "The time of its first sighting for the genre.",
        "last_seen_at": "The time of its last sighting for the genre.",
    },
    _track_genres,
)
