"""Duration of queries on every view: `python -m benchmarks.views [--tracks N] [--url URL]`.

Fills a synthetic database by direct bulk inserts (114 genres, features and an analysis for every
track, five predictions for nine tracks in ten), then queries every view for its first 100 rows and
for all: `count` reads every column inside the database, `fetch` transfers every row to Python.
Without `--url` the database is a new SQLite file; otherwise one with a schema and no tracks.
"""

import argparse
import json
import random
import statistics
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, Table, text

from benchmarks import synthetic_analyses
from genrebase.store import bulk, features_provider, schema_revision, tables, views
from genrebase.store.engine import make_engine, read_transaction, transaction
from genrebase.store.names import hash_fold
from genrebase.store.split import assign_side

GENRES = 114
BATCH = 20_000
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLASSES = json.dumps({"classes": [f"genre {number}" for number in range(1, GENRES + 1)]})
MODEL = (
    "INSERT INTO model (id, created_at, task, estimator, params, training_config, feature_schema, \
data_fingerprint, trained_rows, seconds, status, metrics, versions, golden_rows, promoted_at) \
VALUES (:id, :now, 'main', 'logistic', '{}', '{}', CAST(:schema AS {json}), 'x', 1, 1.0, :status, \
'{}', '{}', '[]', :now)"
)


def rows_of(numbers: random.Random, tracks: int, moment: Any) -> Iterator[tuple[Table, Any, Any]]:
    """Yield (table, columns, rows) in an order that foreign keys allow."""
    artists = max(tracks // 3, 1)
    names = [f"artist {number}" for number in range(artists)]
    folds = [hash_fold(name) for name in names]
    claims = [min(int(numbers.expovariate(0.02)), GENRES - 1) + 1 for _ in range(tracks)]
    seconds = [
        other if numbers.random() < 0.27 and (other := numbers.randint(1, GENRES)) != claim else 0
        for claim in claims
    ]
    credited = [
        sorted({int(artists * numbers.random() ** 2) for _ in range(1 + (numbers.random() < 0.4))})
        for _ in range(tracks)
    ]
    yield (
        tables.genre,
        ("id", "name", "target", "paused", "sightings", "created_at"),
        ((number, f"genre {number}", 1000, False, 0, moment) for number in range(1, GENRES + 1)),
    )
    yield (
        tables.artist,
        ("id", "source", "source_id", "name", "name_key", "fold"),
        (
            (number + 1, "name", name, name, name, folds[number])
            for number, name in enumerate(names)
        ),
    )
    yield (
        tables.track,
        ("id", "identity", "name_key", "genre_id", "claim_tied", "title", "artists", "album",
         "release_date", "release_year", "duration_ms", "explicit", "popularity", "isrc", "origin",
         "track_fold", "side", "first_seen_at", "last_seen_at", "updated_at"),
        (
            (
                number, f"track {number}|{names[who[0]]}", f"track {number}|{names[who[0]]}",
                claims[number - 1], False, f"Track {number}",
                "; ".join(names[one] for one in who), f"Album {number // 10}", "2001-01-01",
                1950 + number % 76, 200_000, False, number % 101, None, "csv:synthetic",
                number % 10, assign_side(number % 10, (folds[one] for one in who)), moment, moment,
                moment,
            )
            for number, who in enumerate(credited, start=1)
        ),
    )  # fmt: skip
    yield (
        tables.track_alias,
        ("source", "source_id", "track_id"),
        (("spotify", f"{number:022d}", number) for number in range(1, tracks + 1)),
    )
    yield (
        tables.track_artist,
        ("track_id", "artist_id", "position"),
        (
            (number, one + 1, position)
            for number, who in enumerate(credited, start=1)
            for position, one in enumerate(who)
        ),
    )
    yield (
        tables.sighting,
        ("track_id", "genre_id", "best_rank", "times", "first_seen_at", "last_seen_at"),
        (
            (number, genre, number % 1000, 1, moment, moment)
            for number, pair in enumerate(zip(claims, seconds, strict=True), start=1)
            for genre in pair
            if genre
        ),
    )
    yield (
        tables.audio_features,
        ("track_id", "provider", *tables.FEATURES, "fetched_at"),
        (
            (number, provider, *features(numbers), moment)
            for number in range(1, tracks + 1)
            for provider in (("csv", "reccobeats") if number % 10 == 0 else ("csv",))
        ),
    )
    yield (
        tables.verdict,
        ("track_id", "labelled_by", "genre_id", "labelled_at"),
        (
            (number, by, numbers.randint(1, GENRES), moment)
            for number in range(1, tracks + 1, 100)
            for by in ("one", "two")
        ),
    )
    yield (
        tables.prediction,
        ("model_id", "track_id", "rank", "genre_id", "probability", "regime", "in_training",
         "predicted_at"),
        (
            (model, number, rank, predicted_genre(model, number, rank, claims[number - 1]),
             (0.4 + number * 7919 % 4999 / 10_000) / rank**2, "seen_artist", True, moment)
            for model in (1, 2)
            for number in range(1, tracks + 1)
            if number % 10
            for rank in range(1, 6)
        ),
    )  # fmt: skip
    yield (
        tables.confusion,
        ("model_id", "regime", "genre_id", "predicted_id", "tracks"),
        (
            (model, regime, genre, 1 + (genre + step * step) % GENRES, 1 + step)
            for model in (1, 2)
            for regime in ("seen_artist", "new_artist")
            for genre in range(1, GENRES + 1)
            for step in range(11)
        ),
    )
    yield (
        tables.model_metric,
        ("id", "model_id", "side", "regime", "genre_id", "metric", "value", "n"),
        (
            (1 + number, 1 + number % 2, "test", ("seen_artist", "new_artist")[number // 2 % 2],
             number // 40 or None, ("accuracy", "baseline", "macro_f1", "top3", "log_loss",
                                    "ece")[number % 6], 0.5, 100)
            for number in range(4_000)
        ),
    )  # fmt: skip
    yield (
        tables.shard,
        ("id", "genre_id", "source", "query", "year_from", "year_to", "requests", "created_at"),
        (
            (number, number % GENRES + 1, "spotify", f"q{number}", 0, 9999, 20, moment)
            for number in range(1, GENRES * 20)
        ),
    )
    yield from synthetic_analyses.rows_of(numbers, tracks, moment)


def predicted_genre(model: int, number: int, rank: int, claim: int) -> int:
    """Return a genre: the claim at rank 1 in two of three; one in ten differs between models."""
    if model == 1 and number % 10 == 1:
        number += 1
    return (claim - 1 + (rank - (number % 3 > 0)) * (1 + number % 7)) % GENRES + 1


def features(numbers: random.Random) -> tuple[float | None, ...]:
    """Return twelve plausible features; one in a hundred has no key."""
    share = [round(numbers.random(), 4) for _ in range(7)]
    quiet = 0.0 if share[0] < 0.6 else share[0]
    key = None if share[1] < 0.01 else numbers.randint(0, 11)
    loudness, tempo = round(-60 * share[2] ** 3, 3), round(60 + 140 * share[3], 3)
    return (
        share[0], share[1], key, loudness, numbers.randint(0, 1), share[4] ** 2, share[5], quiet,
        share[6], share[3], tempo, 4,
    )  # fmt: skip


def fill(engine: Engine, tracks: int) -> None:
    """Fill an empty database with `tracks` synthetic tracks."""
    moment = tables.as_driver_datetime(NOW, engine.dialect.name)
    with transaction(engine) as connection:
        for table, columns, rows in rows_of(random.Random(1), tracks, moment):
            if table is tables.prediction:
                for number, status in ((1, "retired"), (2, "champion")):
                    given = {"id": number, "now": moment, "status": status, "schema": CLASSES}
                    json_type = "jsonb" if engine.dialect.name == "postgresql" else "text"
                    made = MODEL.replace("{json}", json_type)
                    connection.execute(text(made), given)
            for batch in batches(rows):
                bulk.insert(connection, table, columns, batch)
        features_provider.choose_all(connection)
        connection.execute(
            text(
                "UPDATE genre SET sightings = "
                "(SELECT count(*) FROM sighting WHERE genre_id = genre.id), "
                "tracks = (SELECT count(*) FROM track WHERE genre_id = genre.id)"
            )
        )
        if engine.dialect.name == "postgresql":  # as its autovacuum does
            connection.execute(text("ANALYZE"))


def batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield rows in lists of `BATCH`."""
    waiting = iter(rows)
    while batch := list(islice(waiting, BATCH)):
        yield batch


def median_seconds(work: Callable[[], int], times: int = 3) -> tuple[float, int]:
    """Return the median seconds of `work` and its result."""
    took = []
    for _ in range(times):
        began = perf_counter()
        result = work()
        took.append(perf_counter() - began)
    return statistics.median(took), result


def measure(engine: Engine, name: str) -> tuple[float, float, float, int]:
    """Return the seconds for 100 rows, for counting all and for fetching all; and their number."""
    columns = views.metadata.tables[name].columns.keys()
    counts = ", ".join(f'count(v."{column}")' for column in columns)

    def count_rows(query: str) -> int:
        with read_transaction(engine) as connection:
            return len(connection.exec_driver_sql(query).all())

    first, _ = median_seconds(lambda: count_rows(f"SELECT * FROM {name} LIMIT 100"))
    counted, _ = median_seconds(lambda: count_rows(f"SELECT {counts} FROM {name} AS v"))
    fetched, rows = median_seconds(lambda: count_rows(f"SELECT * FROM {name}"), times=1)
    return first, counted, fetched, rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--url")
    parser.add_argument("--only", help="comma-separated views")
    parser.add_argument("--filled", action="store_true", help="the database is filled already")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.url or f"sqlite:///{Path(folder) / 'views.db'}"
        schema_revision.upgrade(url)
        engine = make_engine(url)
        began = perf_counter()
        if not given.filled:
            fill(engine, given.tracks)
            print(f"filled in {perf_counter() - began:.1f} s")
        print(
            f"{engine.dialect.name}: {'view':<20}{'LIMIT 100':>10}{'count':>9}{'fetch':>9}  rows"
        )
        for name in given.only.split(",") if given.only else views.ALL:
            first, counted, fetched, rows = measure(engine, name)
            print(f"{'':>12}{name:<20}{first:>9.3f}s{counted:>8.2f}s{fetched:>8.2f}s  {rows}")
        engine.dispose()


if __name__ == "__main__":
    main()
