"""A small database with rows in every table, the awkward values among them."""

from datetime import datetime

from sqlalchemy import Connection, Engine, Table, insert, select, update

from genrebase.store import tables
from genrebase.store.copy.rows import copied_tables
from genrebase.store.engine import read_transaction, transaction
from tests import factories as make
from tests.database_states import filled_once
from tests.fakes import NOON

PLAYLISTS = ("aB" * 11, "Ab" * 11, "ab" * 11, "0Z" * 11)
"""Text that a language sorts otherwise than its code points."""

_SAMPLES = {
    int: 1, float: 0.25, str: "x", bool: True, datetime: NOON, bytes: b"x", dict: {"a": [1]},
}  # fmt: skip


def fill(engine: Engine, tracks: int = 30) -> None:
    """Put rows into every table there is."""
    filled_once(engine, (__name__, tracks), lambda: _fill(engine, tracks))


def fill_varied(engine: Engine, tracks: int = 100) -> None:
    """Put rows into every table, with verdicts, features of several providers and two models."""
    filled_once(engine, (__name__, "varied", tracks), lambda: _fill_varied(engine, tracks))


def _fill(engine: Engine, tracks: int) -> None:
    with transaction(engine) as connection:
        rock = make.add_genre(connection, "rock", target=10)
        jazz = make.add_genre(connection, "シティポップ", paused=True)
        ids = [
            make.add_track(
                connection,
                f"Song {number} \t\\ \"'\n é",
                [f"Band {number % 4}", "Guest"],
                genres=[rock, jazz][: number % 3],
                release_year=1990 + number % 9 if number % 5 else None,
                popularity=number or None,
                explicit=bool(number % 2) if number % 7 else None,
            )
            for number in range(tracks)
        ]
        for number, track in enumerate(ids):
            make.add_alias(connection, track, f"{number:022d}")
        make.add_features(connection, ids[0], energy=0.1 + 0.2, loudness=-0.0, key=None)
        make.add_features(connection, ids[0], "reccobeats", tempo=1 / 3 + 100)
        make.add_verdict(connection, ids[1], jazz, "Zoé")
        _fill_rest(connection, ids[0], rock, jazz)


def _fill_varied(engine: Engine, tracks: int) -> None:
    _fill(engine, tracks)
    with transaction(engine) as connection:
        genres = {row.name: row.id for row in connection.execute(select(tables.genre))}
        rock, jazz = genres["rock"], genres["シティポップ"]
        track_ids = select(tables.track.c.id).order_by(tables.track.c.id)
        ids = connection.scalars(track_ids).all()
        for number, track in enumerate(ids[2:]):
            for provider in ("spotify", "reccobeats", "audio", "zzz")[number % 3 : number % 5]:
                make.add_features(
                    connection, track, provider, energy=number / 99, tempo=100 + number / 3
                )
            if number % 7 == 0:
                make.add_verdict(connection, track, rock if number % 2 else jazz, "Ann")
                make.add_verdict(connection, track, jazz, "Zoé")
        champion, previous = connection.execute(
            select(tables.model.c.id).order_by(tables.model.c.id)
        ).scalars()
        schema = {"classes": ["rock", "シティポップ"]}
        connection.execute(update(tables.model).values(feature_schema=schema))
        for number, track in enumerate(ids[1:]):
            high = 0.5 + number / 500
            order = [(rock, high), (jazz, 1 - high)]
            make.add_predictions(connection, champion, track, order)
            make.add_predictions(connection, previous, track, [(jazz, 0.8)])
        broad = make.add_model(connection, task="broad", training_config={"level": "broad"})
        make.add_predictions(connection, broad, ids[3], [(jazz, 0.75)])
        connection.execute(
            insert(tables.genre_mapping),
            [{"mapping": "own", "fine": "シティポップ", "broad": "pop"}],
        )


def _fill_rest(connection: Connection, track: int, rock: int, jazz: int) -> None:
    model = make.add_model(
        connection,
        artifact=bytes(range(256)) * 40,
        params={"b": 1e16, "a": [1.0, 0.1, None, {"ü": "\\"}]},
        metrics={},
        golden_rows=[],
        training_config={"z": 1, "a": -0.0},
    )
    retired = make.add_model(connection, "retired")
    make.add_metric(connection, model, "new_artist", "accuracy", 0.1 + 0.2, genre_id=rock)
    make.add_predictions(connection, model, track, [(rock, 0.9), (jazz, 0.1)])
    make.add_shard(connection, rock, 'genre:"r&b"', lease_owner="x:1:2", lease_until=1e9 + 0.25)
    make.add_budget(connection, capabilities={"closed": {"tracks": 1.5}}, requests=2**40)
    make.add_job_run(connection, "harvest", "failed", error="no: '%s'", counts={"n": 1})
    pairs = {"genre_id": rock, "predicted_id": jazz, "model_id": model, "regime": "all"}
    others = {
        tables.genre_mapping: [{"mapping": "own", "fine": "b-side", "broad": "rock"}],
        tables.genre_playlist: [{"genre_id": rock, "playlist_id": one} for one in PLAYLISTS],
        tables.confusion: [{**pairs, "tracks": 3}],
        tables.feature_importance: [
            {"model_id": model, "regime": "all", "feature": "energy", "importance": 0.5}
        ],
        tables.feature_attempt: [
            {"track_id": track, "provider": "spotify", "next_at": NOON, "outcome": "unknown"}
        ],
        tables.acousticbrainz_recording: [
            {"track_id": track, "provider": provider, "recording_id": "md5:ab", "bpm": 1 / 3 + 90}
            | {"origin": provider}
            | {"rhythm_submissions": 2, "bpm_range": 0.1 + 0.2, "key": 11, "fetched_at": NOON}
            for provider in tables.SUBMISSION_PROVIDERS
        ],
        tables.sound_summary: [
            dict.fromkeys(
                (*tables.DEGREE_COLUMNS, *tables.TIMBRE_COLUMNS, *tables.PITCH_COLUMNS), 1 / 3
            )
            | {"track_id": track, "provider": "spotify", "sections": 3, "degrees": 2}
            | {"degree_changes": 2, "numerals": "I V I", "segments": 9, "fetched_at": NOON}
        ],
        tables.progression: [
            {"numerals": numerals, "length": len(numerals.split()), "times": 1, "confidence": 0.5}
            | {"track_id": track, "provider": "spotify"}
            for numerals in ("I V", "i bVI", "I bVII", "I V vi")
        ],
        tables.sound_matrix: [
            {"kind": kind, "version": 1, "steps": 2, "channels": 3, "data": bytes(range(256))}
            | {"track_id": track, "provider": "spotify"}
            for kind in tables.MATRIX_KINDS
        ],
        tables.descriptor_schema: [{"name": name, "columns": ["b", "ä"]} for name in ("a-1", "B")],
        tables.descriptor: [
            {"track_id": track, "provider": "audio", "schema": schema, "data": bytes(range(256))}
            | {"fetched_at": NOON}
            for schema in ("a-1", "B")
        ],
        tables.sound_file: [
            {
                "path": path,
                "size": 2**40,
                "modified": 2**62,
                "descriptor_schema": "a-1",
                "digest": "ab",
            }
            | {"track_id": track}
            for path in ("/m/é 1.mp3", "/m/Z.mp3", "/m/a.mp3")
        ],
        tables.catalogue_origin: [{"kind": "file", "detail": "x", "recorded_at": NOON}],
        tables.imported_file: [
            {"sha256": "ab", "name": "a.csv", "rows_done": 3, "id": 7, "origin": "csv:a.csv"}
            | {"options": {"unit": "length=s"}, "started_at": NOON}
        ],
        tables.import_track: [
            {"track_id": track, "import_id": 7, "created": True, "delivered": 3}
            | {"replaced": {"album": None, "features": [0.5, 1 / 3]}}
        ],
        tables.import_sighting: [
            {"track_id": track, "import_id": 7, "genre_id": one, "best_rank": 0, "times": 1}
            for one in (rock, jazz)
        ],
        tables.audio_item: [
            {"item_id": one, "subjects": ["ambient", "Ü"], "licence": "cc0", "title": one}
            | {"source": "internetarchive", "listed_at": NOON, "updated_at": NOON}
            for one in ("a-1", "B", "ab")
        ],
        tables.audio_item_genre: [
            {"source": "internetarchive", "item_id": "B", "genre_id": one, "position": 2}
            for one in (rock, jazz)
        ],
        tables.audio_download: [
            {"source": "internetarchive", "item_id": "B", "name": name, "position": 0}
            | {"size": 2**40, "received": 2**40, "received_at": NOON, "track_id": track}
            for name in ("disc 1/é.mp3", "Z.mp3", "a.mp3")
        ],
        tables.digest: [
            {"view": "genre_trends", "key": key, "as_of": NOON, "rows": 0, "document": "{}"}
            for key in ("", "Ü")
        ],
        tables.job_request: [{"job": "train", "requested_at": NOON, "requested_by": "Zoé"}],
        tables.daemon: [
            {"name": "classifier", "process": "a:1:2", "started_at": NOON, "alive_at": NOON}
        ],
        tables.model_comparison: [
            {"model_id": model, "other_id": retired, "compared_at": NOON, "document": {"ü": 0.1}}
        ],
        tables.clustering: [make.CLUSTERING],
        tables.genre_trait: [
            {"genre_id": rock, "against_id": other, **make.TRAIT} for other in (jazz, None)
        ],
        tables.track_match: [
            {"track_id": track, "genre_id": rock, "nearest_id": jazz, **make.MATCH}
        ],
        tables.experiment: [make.EXPERIMENT],
        tables.trial: [{**make.TRIAL, "experiment_id": 1, "outcome": "failed", "error": "\\"}],
    }
    for table, rows in others.items():
        connection.execute(insert(table), rows)
    for table in tables.metadata.sorted_tables:
        if table is tables.identity_lock:
            continue  # its rows never outlive a transaction
        if connection.execute(select(table).limit(1)).first() is None:
            connection.execute(insert(table), _anything(connection, table))


def _anything(connection: Connection, table: Table) -> dict[str, object]:
    """Return a row for a table that nothing above is about."""
    row: dict[str, object] = {}
    for column in table.columns:
        if column.primary_key and column.autoincrement is True:
            continue
        (parent,) = [key.column for key in column.foreign_keys] or [None]
        row[column.name] = (
            _SAMPLES[column.type.python_type]
            if parent is None
            else connection.scalar(select(parent).limit(1))
        )
    return row


def contents(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows as Python sees them, of all tables that are copied."""
    with read_transaction(engine) as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in copied_tables()
        }
