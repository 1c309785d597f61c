"""Tracks with all their columns, their credited artists and the genres they were seen under."""

from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Table,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    select,
)
from sqlalchemy.sql.functions import GenericFunction

from genrebase import licences
from genrebase.store import licence_sql, tables
from genrebase.store.views import licence_columns, shared
from genrebase.store.views.definition import Providers, view

LICENCE_CLASS: Final = (
    "What the licence allows. open: every use; noncommercial: no commercial use; restricted: no "
    "derivatives, or terms that forbid training; unknown: not stated or not recognised."
)


class monday_of(GenericFunction[str]):  # noqa: N801 - SQL functions are written so
    """The Monday of a time's week, in UTC, as text."""

    type = Text()
    inherit_cache = True


shared.compile_as(
    monday_of,
    postgresql="to_char(date_trunc('week', {} AT TIME ZONE 'UTC'), 'YYYY-MM-DD')",
    sqlite="date({}, 'weekday 0', '-6 days')",
)


@view(
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
        "identity": "The unique name: normalised title and primary artist; the second and later "
        "recordings of that name also have an ordinal.",
        "first_seen_week": "The Monday of the week in which it was first delivered, YYYY-MM-DD.",
        **licence_columns.FEATURES_LICENCE,
        **licence_columns.LABEL_SOURCE,
    },
)
def tracks(_providers: Providers) -> Select[Any]:
    track = tables.track
    labelled = shared.labelled_tracks()
    source, features = shared.with_features(labelled.source)
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
            track, "album release_date release_year duration_ms explicit popularity isrc"
        ),
        spotify_id.label("spotify_id"),
        track.c.origin,
        labelled.claim,
        labelled.verdict,
        labelled.label,
        shared.genres_sighted(),
        *shared.feature_columns(features),
        *shared.columns(
            track, "track_fold side split first_seen_at last_seen_at updated_at identity"
        ),
        monday_of(track.c.first_seen_at).label("first_seen_week"),
        licence_columns.of_features(features),
        *licence_columns.of_label(labelled),
    ).select_from(source)


@view(
    "One row per track and provider: the features of every provider, with their licence.",
    {
        "track_id": shared.TRACK_REFERENCE["track_id"],
        **shared.FEATURE_DESCRIPTIONS,
        "provider": "The provider of the features.",
        "fetched_at": "When they were fetched or imported.",
        "licence": "The licence of these features: their own, or else the provider's.",
    },
)
def track_features(_providers: Providers) -> Select[Any]:
    features = tables.audio_features
    return select(
        features.c.track_id,
        *shared.feature_columns(features),
        features.c.fetched_at,
        licence_columns.of_features(features, "licence"),
    )


@view(
    "One row per track and credited artist.",
    {
        "track_id": shared.TRACK_REFERENCE["track_id"],
        "artist_id": "The artist's ID.",
        "position": "The position among the credits; 0 is the primary artist.",
        "artist": "The artist's name.",
        "fold": "The fold of the artist's name, 0 to 9; it never changes.",
    },
)
def track_credits(_providers: Providers) -> Select[Any]:
    credit, artist = tables.track_artist, tables.artist
    return select(
        *shared.columns(credit, "track_id artist_id position"),
        *shared.columns(artist, "name:artist fold"),
    ).select_from(credit.join(artist))


@view(
    "One row per track and genre with a sighting of it.",
    {
        "track_id": shared.TRACK_REFERENCE["track_id"],
        "genre_id": "The genre's ID.",
        "genre": "The genre's name.",
        "best_rank": "The best rank over all sources (see `rank` in `track_genre_sources`); 0 is "
        "the first.",
        "times": "How often sources listed it for the genre.",
        "is_claim": "Whether this is the track's claim.",
        "first_seen_at": "The time of its first sighting for the genre.",
        "last_seen_at": "The time of its last sighting for the genre.",
        "votes": "The maximum of the sources' votes for the genre; NULL if no source has votes.",
        "level": "The lowest level at which a source gave the genre. 0: to the recording, 1: to "
        "the release, 2: to the artist; NULL if no source states a level.",
        "sources": "The number of sources with a sighting.",
    },
)
def track_genres(_providers: Providers) -> Select[Any]:
    """Return the row of one source per track and genre, with subqueries over all sources.

    A GROUP BY would read all sightings for one genre; few tracks have more than one source.
    """
    sighting, genre, track = tables.sighting, tables.genre, tables.track
    same = sighting.alias("same")
    of_pair = and_(same.c.track_id == sighting.c.track_id, same.c.genre_id == sighting.c.genre_id)

    def over_sources(aggregate: ColumnElement[Any]) -> ColumnElement[Any]:
        return select(aggregate).where(of_pair).correlate(sighting).scalar_subquery()

    is_first = ~exists().where(of_pair, same.c.source < sighting.c.source).correlate(sighting)
    is_claim = func.coalesce(track.c.genre_id == sighting.c.genre_id, False)
    return (
        select(
            *shared.columns(sighting, "track_id genre_id"),
            genre.c.name.label("genre"),
            over_sources(func.min(same.c.best_rank)).label("best_rank"),
            cast(over_sources(func.sum(same.c.times)), Integer).label("times"),
            is_claim.label("is_claim"),
            over_sources(func.min(same.c.first_seen_at)).label("first_seen_at"),
            over_sources(func.max(same.c.last_seen_at)).label("last_seen_at"),
            over_sources(func.max(same.c.votes)).label("votes"),
            over_sources(func.min(same.c.level)).label("level"),
            cast(over_sources(func.count()), Integer).label("sources"),
        )
        .select_from(sighting.join(genre).join(track, track.c.id == sighting.c.track_id))
        .where(is_first)
    )


@view(
    "One row per track, genre and source with a sighting of it.",
    {
        "track_id": shared.TRACK_REFERENCE["track_id"],
        "genre_id": "The genre's ID.",
        "genre": "The genre's name.",
        "source": "The source of the sighting, named as the origin of tracks: spotify, "
        "csv:FILE, musicbrainz and so on.",
        "rank": "The track's best rank in the source's results for the genre. For a source with "
        "votes: the genre's place among the track's genres. 0 is the first.",
        "votes": "The votes for the genre; NULL if the source has no votes.",
        "level": "The level at which the source gave the genre. 0: to the recording, 1: to the "
        "release, 2: to the artist; NULL if it states no level.",
        "times": "How often the source listed it for the genre.",
        "licence": "The licence of this label: its own, or else the source's.",
        "licence_class": LICENCE_CLASS,
        "first_seen_at": "The time of its first sighting.",
        "last_seen_at": "The time of its last sighting.",
        "playlist": "The playlist that had the track at this rank; NULL if it is from none.",
    },
)
def track_genre_sources(_providers: Providers) -> Select[Any]:
    sighting, genre, source = tables.sighting, tables.genre, tables.data_source
    licence = func.coalesce(sighting.c.licence, source.c.licence, licences.UNKNOWN)
    return select(
        *shared.columns(sighting, "track_id genre_id"),
        genre.c.name.label("genre"),
        *shared.columns(sighting, "source best_rank:rank votes level times"),
        licence.label("licence"),
        licence_sql.licence_class(licence).label("licence_class"),
        *shared.columns(sighting, "first_seen_at last_seen_at playlist"),
    ).select_from(sighting.join(genre).outerjoin(source, source.c.name == sighting.c.source))


@view(
    "One row per source of labels and provider of features, with its licence.",
    {
        "name": "The name of the source (as in `origin` of `tracks`) or of the provider.",
        "licence": "The licence of its labels and features that have no licence of their own.",
        "licence_class": LICENCE_CLASS,
        "tracks": "Tracks that it was the first to deliver.",
        "labels": "Its sightings: pairs of a track and a genre.",
        "features": "Tracks with features of this provider.",
        "noted_at": "When it was first stored.",
    },
)
def data_sources(_providers: Providers) -> Select[Any]:
    source, sighting, features = tables.data_source, tables.sighting, tables.audio_features

    def rows(table: Table, column: str) -> ColumnElement[int]:
        name = table.c[column]
        counted = select(name, func.count().label("rows")).group_by(name).cte(f"{table.name}_rows")
        counted = counted.prefix_with("MATERIALIZED", dialect="postgresql")  # once, not per row
        joined = select(counted.c.rows).where(counted.c[column] == source.c.name)
        return cast(func.coalesce(joined.scalar_subquery(), 0), Integer)

    return select(
        *shared.columns(source, "name licence"),
        licence_sql.licence_class(source.c.licence).label("licence_class"),
        rows(tables.track, "origin").label("tracks"),
        rows(sighting, "source").label("labels"),
        rows(features, "provider").label("features"),
        source.c.noted_at,
    )
