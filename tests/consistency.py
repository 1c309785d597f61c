"""Invariants of a database after every commit."""

from collections import Counter

from sqlalchemy import Connection, Engine, select

from collector.catalogue import genre_counters, track_claims
from genrebase.store import (
    claims,
    features_provider,
    names,
    search_index,
    search_terms,
    split,
    tables,
)
from genrebase.store.engine import transaction


def assert_consistent(connection: Connection) -> None:
    """Recompute everything that is stored although it could be derived, and compare."""
    ranks: dict[int, dict[int, int]] = {}
    sighting = tables.sighting.c
    for row in connection.execute(
        select(sighting.track_id, sighting.genre_id, sighting.best_rank)
    ):
        under = ranks.setdefault(row.track_id, {})
        under[row.genre_id] = min(row.best_rank, under.get(row.genre_id, row.best_rank))
    standing = track_claims.tie_break_keys(connection)
    counted = Counter(genre for under in ranks.values() for genre in under)
    assert {key: count for key, (count, _) in standing.items() if count} == counted
    if connection.dialect.name == "sqlite":  # imports do not check foreign keys
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    assert features_provider.count_wrong(connection) == 0
    assert genre_counters.wrong_counters(connection) == []
    credited = _credits(connection)
    for track in connection.execute(select(tables.track)):
        expected = claims.choose_claim(ranks.get(track.id, {}), standing)
        assert (track.genre_id, bool(track.claim_tied)) == expected, track.identity
        own = credited[track.id]
        assert [position for position, _, _ in own] == list(range(len(own))), track.identity
        assert track.artists == "; ".join(name for _, name, _ in own)
        assert track.track_fold == names.hash_fold(track.name_key)
        assert track.side == split.assign_side(track.track_fold, [fold for _, _, fold in own])
        assert track.identity == names.track_identity(track.name_key, track.ordinal)
    for artist in connection.execute(select(tables.artist)):
        assert artist.name_key == names.normalise(artist.name)
        assert artist.fold == names.hash_fold(artist.name)


def _credits(connection: Connection) -> dict[int, list[tuple[int, str, int]]]:
    credit, artist = tables.track_artist.c, tables.artist.c
    rows = connection.execute(
        select(credit.track_id, credit.position, artist.name, artist.fold)
        .join(tables.artist, artist.id == credit.artist_id)
        .order_by(credit.track_id, credit.position)
    )
    result: dict[int, list[tuple[int, str, int]]] = {}
    for track_id, *rest in rows:
        result.setdefault(track_id, []).append((rest[0], rest[1], rest[2]))
    return result


def assert_indexed(engine: Engine) -> None:
    """Compare the index of the search with the names of all tracks; none waits for it."""
    with transaction(engine) as connection:
        assert search_index.count_due(connection, 1) == 0
        names_ = select(tables.track.c.id, tables.track.c.title, tables.track.c.artists)
        texts = {
            row.id: search_terms.indexed_text(row.title, row.artists)
            for row in connection.execute(names_)
        }
        rows = connection.execute(select(tables.search_text)).all()
        assert {row.track_id: row.words for row in rows} == texts
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql(
                "INSERT INTO search_index (search_index, rank) VALUES ('integrity-check', 1)"
            )
