"""Small rows for tests, put in through Core.

Each function inserts one thing with plausible values for what is not given, and returns its key.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, insert, select

from genrebase import licences
from genrebase.audio import packed_vectors
from genrebase.store import features_provider, tables
from genrebase.store.names import hash_fold, name_key, normalise, track_identity
from genrebase.store.split import assign_side
from tests.fakes import NOON

FEATURES = {
    "danceability": 0.5,
    "energy": 0.6,
    "key": 7,
    "loudness": -7.5,
    "mode": 1,
    "speechiness": 0.05,
    "acousticness": 0.2,
    "instrumentalness": 0.0,
    "liveness": 0.1,
    "valence": 0.4,
    "tempo": 120.0,
    "time_signature": 4,
}

CLUSTERING = {
    "name": "last",
    "created_at": NOON,
    "method": "kmeans",
    "params": {"k": 2},
    "features": ["energy", "tempo"],
    "genres": ["jazz", "rock"],
    "tracks": 3,
    "chosen": 3,
    "clusters": 2,
    "noise": 0,
    "ari": 0.1 + 0.2,
    "nmi": 0.4,
    "purity": 0.5,
    "silhouette": None,
}

TRAIT = {
    "feature": "energy",
    "delta": 0.5,
    "value": 0.1 + 0.2,
    "other_value": 0.4,
    "n": 3,
    "other_n": 2,
    "computed_at": NOON,
}

MATCH = {
    "distance": 1.5,
    "percentile": 90.0,
    "nearest_distance": 1.0,
    "method": "standardised",
    "computed_at": NOON,
}

EXPERIMENT = {
    "kind": "compare",
    "fingerprint": "none",
    "created_at": NOON,
    "question": {"folds": [0]},
    "training_config": {},
    "seed": 0,
    "data_fingerprint": "none",
    "versions": {},
}
TRIAL = {
    "number": 1,
    "estimator": "logistic",
    "features": "audio,metadata",
    "params": {"C": 0.5},
    "test_fold": 9,
    "validation_fold": 8,
    "key": "a",
    "outcome": "done",
    "finished_at": NOON,
    "trained_rows": 100,
    "seconds": 1.5,
    "artifact_bytes": 1000,
    "training_score": 0.75,
}


def add_genre(connection: Connection, name: str, **values: Any) -> int:
    row = {"name": name, "created_at": NOON, **values}
    return _insert(connection, tables.genre, row)


def add_artist(connection: Connection, name: str, **values: Any) -> int:
    """Return the artist with this name only; insert it if it does not exist."""
    key = normalise(name)
    result = connection.execute(
        select(tables.artist.c.id).where(
            tables.artist.c.source == "name", tables.artist.c.source_id == key
        )
    ).scalar()
    if result is not None and not values:
        return int(result)
    row = {
        "source": "name",
        "source_id": key,
        "name": name,
        "name_key": key,
        "fold": hash_fold(key),
    }
    return _insert(connection, tables.artist, {**row, **values})


def add_track(
    connection: Connection,
    title: str,
    artists: Sequence[str] = ("Somebody",),
    *,
    genres: Iterable[int] = (),
    ordinal: int = 1,
    **values: Any,
) -> int:
    """Insert a track with its credits and a sighting under each of `genres`.

    The first of `genres` is the claim, seen at rank 0; the others at rank 1, 2, …
    """
    genres = list(genres)
    artist_ids = [add_artist(connection, name) for name in artists]
    key = name_key(title, artists[0] if artists else "")
    row = {
        "identity": track_identity(key, ordinal),
        "name_key": key,
        "ordinal": ordinal,
        "genre_id": genres[0] if genres else None,
        "title": title,
        "artists": "; ".join(artists),
        "origin": "csv:test.csv",
        "track_fold": hash_fold(key),
        "side": assign_side(hash_fold(key), (hash_fold(name) for name in artists)),
        "first_seen_at": NOON,
        "last_seen_at": NOON,
        "updated_at": NOON,
    }
    row |= values
    track_id = _insert(connection, tables.track, row)
    genre = tables.genre
    claimed = genre.update().where(genre.c.id == row["genre_id"])
    connection.execute(claimed.values(tracks=genre.c.tracks + 1))
    for position, artist_id in enumerate(artist_ids):
        credit = {"track_id": track_id, "artist_id": artist_id, "position": position}
        connection.execute(insert(tables.track_artist), credit)
    for rank, genre_id in enumerate(genres):
        add_sighting(connection, track_id, genre_id, best_rank=rank)
    return track_id


def add_sighting(
    connection: Connection,
    track_id: int,
    genre_id: int,
    source: str = "csv:test.csv",
    **values: Any,
) -> None:
    """Insert a sighting, and its source where it is new; the genre's counter is updated."""
    sighting, genre = tables.sighting, tables.genre
    is_first = not connection.scalar(
        select(exists().where(sighting.c.track_id == track_id, sighting.c.genre_id == genre_id))
    )
    add_data_source(connection, source)
    row = {
        "track_id": track_id,
        "genre_id": genre_id,
        "source": source,
        "best_rank": 0,
        "times": 1,
        "first_seen_at": NOON,
        "last_seen_at": NOON,
    }
    connection.execute(insert(tables.sighting), {**row, **values})
    counted = genre.update().where(genre.c.id == genre_id)
    connection.execute(counted.values(sightings=genre.c.sightings + int(is_first)))


def add_data_source(connection: Connection, name: str, licence: str | None = None) -> None:
    """Insert a source with the licence known of it, unless it is there."""
    source = tables.data_source
    if connection.scalar(select(source.c.name).where(source.c.name == name)) is None:
        row = {"name": name, "licence": licence or licences.of_source(name), "noted_at": NOON}
        connection.execute(insert(source), row)


def add_alias(connection: Connection, track_id: int, source_id: str, source: str = "spotify"):
    row = {"source": source, "source_id": source_id, "track_id": track_id}
    connection.execute(insert(tables.track_alias), row)


def add_acousticbrainz(connection: Connection, track: int, **numbers: float) -> None:
    """Add the numbers of one recording at AcousticBrainz."""
    row = {"track_id": track, "provider": "acousticbrainz", "recording_id": f"recording {track}"}
    row |= {"origin": "acousticbrainz", "rhythm_submissions": 1, "fetched_at": NOON}
    connection.execute(insert(tables.acousticbrainz_recording).values(**row, **numbers))


def add_features(
    connection: Connection, track_id: int, provider: str = "csv", **values: Any
) -> None:
    row = {"track_id": track_id, "provider": provider, "fetched_at": NOON, **FEATURES, **values}
    connection.execute(insert(tables.audio_features), row)
    features_provider.choose(connection, [track_id])


def add_descriptor(
    connection: Connection,
    track_id: int,
    values: Mapping[str, float],
    *,
    provider: str = "audio",
    schema: str = "genrebase-1",
) -> None:
    """Insert descriptor values of a track; register the schema on first use."""
    sets = tables.descriptor_schema
    if connection.scalar(select(sets.c.name).where(sets.c.name == schema)) is None:
        connection.execute(insert(sets).values(name=schema, columns=list(values)))
    row = {"track_id": track_id, "provider": provider, "schema": schema, "fetched_at": NOON}
    data = packed_vectors.pack(list(values.values()))
    connection.execute(insert(tables.descriptor).values(**row, data=data))


def add_verdict(
    connection: Connection, track_id: int, genre_id: int, by: str = "Ada", at: datetime = NOON
) -> None:
    row = {"track_id": track_id, "genre_id": genre_id, "labelled_by": by, "labelled_at": at}
    connection.execute(insert(tables.verdict), row)


def add_model(connection: Connection, status: str = "champion", **values: Any) -> int:
    row = {
        "created_at": NOON,
        "task": "main",
        "estimator": "logistic",
        "params": {},
        "training_config": {},
        "feature_schema": {},
        "data_fingerprint": "none",
        "trained_rows": 100,
        "seconds": 1.0,
        "status": status,
        "metrics": {},
        "versions": {},
        "golden_rows": {},
    }
    return _insert(connection, tables.model, {**row, **values})


def add_metric(
    connection: Connection, model_id: int, regime: str, metric: str, value: float, **values: Any
) -> int:
    row = {"model_id": model_id, "side": "test", "regime": regime, "metric": metric, "n": 50}
    return _insert(connection, tables.model_metric, {**row, "value": value, **values})


def add_confusion(
    connection: Connection, model_id: int, genre_id: int, predicted_id: int, tracks: int
) -> None:
    row = {
        "model_id": model_id,
        "regime": "new_artist",
        "genre_id": genre_id,
        "predicted_id": predicted_id,
        "tracks": tracks,
    }
    connection.execute(insert(tables.confusion), row)


def add_predictions(
    connection: Connection,
    model_id: int,
    track_id: int,
    answers: Sequence[tuple[int, float]],
    **values: Any,
) -> None:
    """Insert a track's predictions, (genre, probability), in descending order."""
    for rank, (genre_id, probability) in enumerate(answers, start=1):
        row = {
            "model_id": model_id,
            "track_id": track_id,
            "rank": rank,
            "genre_id": genre_id,
            "probability": probability,
            "regime": "seen_artist",
            "in_training": False,
            "predicted_at": NOON,
        }
        connection.execute(insert(tables.prediction), {**row, **values})


def add_experiment(connection: Connection, kind: str = "compare", **values: Any) -> int:
    return _insert(connection, tables.experiment, {**EXPERIMENT, "kind": kind, **values})


def add_trial(connection: Connection, experiment_id: int, **values: Any) -> int:
    row = {**TRIAL, "experiment_id": experiment_id, **values}
    return _insert(connection, tables.trial, row)


def add_trial_metric(
    connection: Connection, trial_id: int, metric: str, value: float | None, **values: Any
) -> int:
    row = {"trial_id": trial_id, "side": "test", "regime": "new_artist", "metric": metric, "n": 50}
    return _insert(connection, tables.trial_metric, {**row, "value": value, **values})


def add_shard(connection: Connection, genre_id: int, query: str = "q", **values: Any) -> int:
    first, last = tables.ALL_YEARS
    row = {
        "genre_id": genre_id,
        "source": "spotify",
        "query": query,
        "year_from": first,
        "year_to": last,
        "created_at": NOON,
    }
    return _insert(connection, tables.shard, {**row, **values})


def add_budget(connection: Connection, source: str = "spotify", **values: Any) -> None:
    row = {"source": source, "credential": "abc", "interval": 0.5, "capabilities": {}}
    connection.execute(insert(tables.source_budget), {**row, **values})


def add_job_run(
    connection: Connection, job: str, outcome: str = "done", at: datetime = NOON, **values: Any
) -> int:
    finished = None if outcome == "running" else at
    row = {"job": job, "started_at": at, "finished_at": finished, "outcome": outcome, "counts": {}}
    return _insert(connection, tables.job_run, {**row, **values})


def _insert(connection: Connection, table: Any, row: dict[str, Any]) -> int:
    return int(connection.execute(insert(table).returning(table.c.id), row).scalar_one())
