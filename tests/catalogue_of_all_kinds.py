"""A random catalogue with everything that the aggregating views tell apart."""

import random
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine, insert

from genrebase.store import tables
from genrebase.store.engine import transaction
from tests import factories as make
from tests.database_states import filled_once
from tests.fakes import NOON

GENRES = ("rock", "r&b", "ジャズ", 'a "b" \\ c', "Ambient")
PROVIDERS = ("csv", "reccobeats", "audio", "zither")


def fill(engine: Engine, tracks: int = 150, seed: int = 1) -> None:
    """Fill an empty database: several providers, verdicts, NULLs, disputes."""
    filled_once(engine, (__name__, tracks, seed), lambda: _fill(engine, tracks, seed))


def _fill(engine: Engine, tracks: int, seed: int) -> None:
    numbers = random.Random(seed)
    with transaction(engine) as connection:
        genres = [make.add_genre(connection, name, target=10) for name in GENRES]
        make.add_genre(connection, "empty", paused=True)
        make.add_shard(connection, genres[0], requests=3)
        make.add_shard(connection, genres[0], "other", status="capped", requests=4)
        model = make.add_model(connection, feature_schema={"classes": list(GENRES[:4])})
        retired = make.add_model(connection, "retired")
        ids = [
            _add_track(connection, numbers, number, genres, model, retired)
            for number in range(tracks)
        ]
        for genre in genres:
            for predicted in genres:
                make.add_confusion(connection, model, genre, predicted, numbers.randint(0, 3))
                make.add_confusion(connection, retired, genre, predicted, 1)
        connection.execute(
            insert(tables.genre_mapping),
            [{"mapping": "own", "fine": one, "broad": "all"} for one in ("rock", "unknown")],
        )
        _add_findings(connection, numbers, ids, genres)


def _add_track(
    connection: Connection,
    numbers: random.Random,
    number: int,
    genres: list[int],
    model: int,
    retired: int,
) -> int:
    claims = numbers.sample(genres, numbers.choice((0, 1, 1, 1, 2, 3)))
    track = make.add_track(
        connection,
        f"Song {number}",
        [f"Band {number % 7}"],
        genres=claims,
        release_year=numbers.choice((None, 1999, 2000, 2001)),
        popularity=numbers.choice((None, 0, 9, 10, 57, 99, 100)),
        origin=numbers.choice(("spotify", "csv:test.csv")),
    )
    if claims and number % 5 == 0:
        make.add_sighting(connection, track, claims[0], "spotify")
    for provider in numbers.sample(PROVIDERS, numbers.choice((0, 1, 1, 2, 3))):
        make.add_features(connection, track, provider, **_features(numbers))
    if number % 3 == 0:
        scales = {"bpm": (1, 400), "danceability": (0, 3), "onset_rate": (0, 9)}
        values = {name: numbers.uniform(*bounds) for name, bounds in scales.items()}
        make.add_acousticbrainz(connection, track, **values)
    if number % 6 == 0:
        for person, hours in (("Ada", 0), ("Zoe", numbers.choice((-1, 0, 1)))):
            verdict = numbers.choice(genres)
            make.add_verdict(connection, track, verdict, person, NOON + timedelta(hours=hours))
    if number % 10:
        order = numbers.sample(genres, 5)
        first = numbers.choice((0.3, 0.5, 0.7, numbers.uniform(0.4, 0.99)))
        answers = [(one, first / (rank * rank)) for rank, one in enumerate(order, start=1)]
        regime = numbers.choice(tables.REGIMES)
        make.add_predictions(connection, model, track, answers, regime=regime)
        make.add_predictions(connection, retired, track, answers[:1])
    return track


def _features(numbers: random.Random) -> dict[str, Any]:
    values = {name: _value(numbers, name) for name in tables.FEATURES}
    return {name: value if numbers.random() > 0.1 else None for name, value in values.items()}


def _value(numbers: random.Random, name: str) -> float:
    low, high = tables.FEATURE_RANGES[name]
    if name in tables.CATEGORICAL_FEATURES:
        return numbers.randint(int(low), int(high))
    if (low, high) == (0.0, 1.0):
        return numbers.random() ** numbers.choice((1, 1, 3, 9))
    return numbers.choice((low, high, *(numbers.uniform(low, high) for _ in range(4))))


def _add_findings(
    connection: Connection, numbers: random.Random, ids: list[int], genres: list[int]
) -> None:
    (clustering,) = connection.execute(
        insert(tables.clustering).returning(tables.clustering.c.id), make.CLUSTERING
    ).one()
    shares = dict.fromkeys(
        (*tables.DEGREE_COLUMNS, *tables.TIMBRE_COLUMNS, *tables.PITCH_COLUMNS), 1 / 3
    )
    for track in ids[::2]:
        member = {"track_id": track, "cluster": track % 3, "genre_id": numbers.choice(genres)}
        connection.execute(
            insert(tables.cluster_member).values(clustering_id=clustering, **member)
        )
        summary = {"sections": 3, "degrees": 2, "degree_changes": 2, "numerals": "I V I"}
        summary |= {"track_id": track, "provider": "spotify", "segments": 9, "fetched_at": NOON}
        connection.execute(insert(tables.sound_summary).values(**shares, **summary))
        for numerals in ("I V", "I bVII", "I V vi"):
            row = {"numerals": numerals, "length": len(numerals.split()), "times": 1}
            row |= {"track_id": track, "provider": "spotify", "confidence": numbers.random()}
            connection.execute(insert(tables.progression).values(**row))
