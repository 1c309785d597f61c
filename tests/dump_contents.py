"""What the imports of dumps store in a database."""

from sqlalchemy import select

from genrebase.store import tables
from genrebase.store.engine import read_transaction


def contents(engine):
    """What an import stores, without surrogate ids and times."""
    track, alias = tables.track.c, tables.track_alias.c
    sighting, genre = tables.sighting.c, tables.genre.c
    facts = (track.album, track.release_date, track.duration_ms, track.isrc, track.origin)
    supports = (
        sighting.source,
        sighting.best_rank,
        sighting.times,
        sighting.votes,
        sighting.level,
    )
    queries = {
        "tracks": select(track.identity, track.title, track.artists, *facts, genre.name).outerjoin(
            tables.genre, genre.id == track.genre_id
        ),
        "aliases": select(alias.source, alias.source_id, track.identity).join(tables.track),
        "sightings": select(track.identity, genre.name, *supports)
        .select_from(tables.sighting)
        .join(tables.track)
        .join(tables.genre, genre.id == sighting.genre_id),
        "genres": select(genre.name, genre.sightings),
        "files": select(tables.imported_file.c.rows_done, tables.imported_file.c.tracks_new),
        "deliveries": select(track.identity, tables.import_track.c.delivered).join(
            tables.import_track
        ),
    }
    with read_transaction(engine) as connection:
        return {
            name: sorted(map(repr, map(tuple, connection.execute(query))))
            for name, query in queries.items()
        }
