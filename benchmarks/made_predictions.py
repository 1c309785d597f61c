"""A champion and its predictions for a large synthetic database, made inside the engine."""

from datetime import datetime

from benchmarks.engine_rows import EngineSql, uniform


def make_predictions(
    database: EngineSql, *, tracks: int, genres: int, now: str, created: datetime, origin: str
) -> None:
    """Insert a champion without an artifact, its metrics, confusions and predictions.

    The temporary tables of `large_database` are there. `now` is an expression of SQL, and
    `created` the same moment.
    """
    shared = {
        "task": "main", "estimator": "logistic", "params": {}, "training_config": {},
        "feature_schema": {"classes": [f"genre {one}" for one in range(1, genres + 1)]},
        "data_fingerprint": "made", "trained_rows": tracks, "seconds": 1.0,
        "origin": origin, "status": "champion",
        "metrics": {}, "versions": {}, "golden_rows": {}, "promoted_at": created,
    }  # fmt: skip
    database.rows("model", [{"id": 1, "created_at": created, **shared}])
    regimes, overall = ("seen_artist", "new_artist"), ("accuracy", "macro_f1", "top3")
    database.rows(
        "model_metric",
        (
            {"model_id": 1, "side": "test", "regime": regime, "genre_id": genre,
             "metric": metric, "value": 0.3 + (genre or 0) % 60 / 100, "n": 100}
            for regime in regimes
            for genre in (None, *range(1, genres + 1))
            for metric in (overall if genre is None else ("precision", "recall", "f1"))
        ),
    )  # fmt: skip
    database.rows(
        "confusion",
        (
            {"model_id": 1, "regime": regime, "genre_id": genre,
             "predicted_id": (genre - 1 + step * step) % genres + 1, "tracks": 100 - step}
            for regime in regimes
            for genre in range(1, genres + 1)
            for step in range(min(11, int(genres**0.5)))
        ),
    )  # fmt: skip
    ranks = " UNION ALL ".join(f"SELECT {rank} AS rank" for rank in range(1, 6))
    database.insert(
        "prediction",
        "model_id, track_id, rank, genre_id, probability, regime, in_training, predicted_at",
        f"""
        SELECT 1, t.n, rank,
            (t.g1 - 1 + (rank - CASE WHEN t.n % 3 > 0 THEN 1 ELSE 0 END) * (1 + t.n % 7))
                % {genres} + 1,
            {uniform("r.e", 0.3, 0.6)} / (rank * rank),
            CASE WHEN fold1 IN (8, 9) THEN 'new_artist' ELSE 'seen_artist' END,
            fold1 < 8, {now}
        FROM made_track AS t JOIN made_number AS r ON r.n = t.n CROSS JOIN ({ranks}) AS ranks
        ORDER BY t.n, rank
        """,
    )
