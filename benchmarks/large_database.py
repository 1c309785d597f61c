"""A large synthetic database: `python -m benchmarks.large_database URL --tracks N`.

The rows are made inside the engine by SQL, the same ones for a seed on SQLite and PostgreSQL: a
million tracks take about a minute. They respect the schema's constraints and the invariants that
the tests check: claims and their ties, the genres' counters, identities, folds and sides. Not made
are audio analyses, descriptors and a model's artifact. `--predictions` adds a champion with five
predictions for each track. The features of a track follow its first genre, with much noise.
"""

import argparse
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, Final

from sqlalchemy import Connection, event

from benchmarks import made_predictions
from benchmarks.engine_rows import EngineSql, random_numbers, skewed, uniform
from collector.sources.spotify_search import genre_query
from genrebase import licences
from genrebase.store import features_provider, schema_upgrade, search_index, split, tables
from genrebase.store.engine import make_engine, transaction

FIRST: Final = datetime(2024, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2026, 1, 1, tzinfo=UTC)
TRACKS_PER_ARTIST: Final = 6
TRACKS_PER_SHARD: Final = 500
IMPORT: Final = "csv:made.csv"
"""The origin of the import that delivered every fourth track, and every eighth first."""
HAS_FEATURES: Final = {"csv": "n % 4 = 1", "reccobeats": "n % 10 < 8"}
"""The providers of features, and which tracks have theirs."""
CREATED_BITS: Final = 0b1_0111_1111
FEATURES_BIT: Final = 0b1_0000_0000
CACHE_KIB: Final = 1_000_000


class Generator(EngineSql):
    """Makes the rows of one database in one transaction."""

    def __init__(self, connection: Connection, tracks: int, genres: int, seed: int) -> None:
        super().__init__(connection)
        self.tracks, self.genres, self.seed = tracks, genres, seed
        self.detail = f"benchmarks.large_database, seed {seed}"
        self.artists = max(tracks // TRACKS_PER_ARTIST, 10)
        first, last = int(FIRST.timestamp()), int(LAST.timestamp())
        self.now = self.moment(str(last))
        self.seen = self.moment(f"({first} + CAST(n AS BIGINT) * {last - first} / {tracks})")
        """Later tracks were seen later."""

    def prepare(self) -> None:
        """Prepare the engine, and make the temporary tables that the rows follow from."""
        self.prepare_engine()
        drawn = random_numbers(self.artists, {"a": "n"}, self.seed)
        self.make(
            "artist",
            f"SELECT n, {skewed(self.genres, 'a')} AS home, {self.fold}('artist ' || n) AS fold"
            f" FROM ({drawn}) AS drawn",
            "n",
        )
        columns = {"a": "m", "b": "m", "e": "m"} | dict.fromkeys("cdfghijk", "n")
        self.make("number", random_numbers(self.tracks, columns, self.seed + 1), "n")
        first, guest = skewed(self.artists, "a"), skewed(self.artists, "b")
        self.make(
            "track",
            f"""
            SELECT n, m, key, a1, a2, g1, e, {self.fold}(key) AS track_fold, fold1, fold2 FROM (
                SELECT x.n, x.m, x.e, 'song ' || x.m || '|artist ' || x.a1 AS key, x.a1, x.a2,
                    CASE WHEN x.c % 10 < 6 THEN one.home ELSE {skewed(self.genres, "x.d")} END g1,
                    one.fold AS fold1, two.fold AS fold2
                FROM (
                    SELECT n, m, c, d, e, {first} AS a1,
                        CASE WHEN e % 10 < 3 AND {guest} <> {first} THEN {guest} END AS a2
                    FROM made_number
                ) AS x
                JOIN made_artist AS one ON one.n = x.a1
                LEFT JOIN made_artist AS two ON two.n = x.a2
            ) AS named
            """,
            "n",
        )
        rank = "(f % 100 * (g % 10) / 10)"
        other = f"(t.g1 - 1 + 1 + h % {self.genres - 2}) % {self.genres} + 1"
        third = f"(t.g1 - 1 + {self.genres - 1}) % {self.genres} + 1"
        joined = "FROM made_track AS t JOIN made_number AS r ON r.n = t.n WHERE t.n % 100 <> 0 AND"
        self.make(
            "sighting",
            f"""
            SELECT t.n, t.g1 AS genre, 'spotify' AS source, {rank} AS rank, 1 + g % 3 AS times
            {joined} t.n % 8 <> 1
            UNION ALL SELECT t.n, t.g1, '{IMPORT}', f % 50, 1 {joined} t.n % 4 = 1
            UNION ALL SELECT t.n, {other}, 'spotify',
                CASE WHEN h % 5 = 0 THEN {rank} ELSE i % 1000 END, 1
            {joined} i % 100 < 27
            UNION ALL SELECT t.n, {third}, 'spotify', j % 1000, 1 {joined} j % 100 < 5
            """,
            "n, genre",
        )
        self.make(
            "count",
            "SELECT genre, count(DISTINCT n) AS many FROM made_sighting GROUP BY genre",
            "genre",
        )
        self.make(
            "claim",
            """
            SELECT n, genre, tied > 1 AS tied FROM (
                SELECT b.n, b.genre,
                    row_number() OVER (PARTITION BY b.n ORDER BY b.rank, c.many, g.name) AS place,
                    count(*) OVER (PARTITION BY b.n, b.rank) AS tied
                FROM (
                    SELECT n, genre, min(rank) AS rank FROM made_sighting GROUP BY n, genre
                ) AS b
                JOIN made_count AS c ON c.genre = b.genre JOIN genre AS g ON g.id = b.genre
            ) AS placed WHERE place = 1
            """,
            "n",
        )

        self.make(
            "claims", "SELECT genre, count(*) AS many FROM made_claim GROUP BY genre", "genre"
        )

    def make_sources(self) -> None:
        """Insert genres, sources of labels and features, the import, and a finished harvest."""
        target = self.tracks // self.genres
        self.rows(
            "genre",
            (
                {"id": number, "name": f"genre {number}", "target": target, "created_at": FIRST}
                for number in range(1, self.genres + 1)
            ),
        )
        for name in ("spotify", IMPORT, *HAS_FEATURES):
            licence = licences.of_source(name)
            self.rows("data_source", [{"name": name, "licence": licence, "noted_at": FIRST}])
        origin = {"kind": "synthetic", "detail": self.detail, "recorded_at": FIRST}
        self.rows("catalogue_origin", [{"id": 1, **origin}])
        imported = {
            "sha256": "0" * 64, "name": IMPORT.removeprefix("csv:"), "origin": IMPORT, "id": 1,
            "options": {}, "started_at": FIRST, "finished_at": LAST,
            "rows_done": (self.tracks + 3) // 4, "tracks_new": (self.tracks + 7) // 8,
        }  # fmt: skip
        self.rows("imported_file", [imported])
        done = {"job": "harvest", "started_at": FIRST, "finished_at": LAST, "outcome": "done"}
        self.rows("job_run", [{**done, "counts": {"tracks_new": self.tracks}}])

    def make_shards(self) -> None:
        """Insert a split shard of all years per genre, and one for each span of years below it."""
        spans = max(2, self.tracks // (self.genres * TRACKS_PER_SHARD))
        length = max(1, 76 // spans)
        rows = []
        for genre in range(1, self.genres + 1):
            shared = {
                "genre_id": genre, "source": "spotify", "query": genre_query(f"genre {genre}"),
                "requests": 20, "items": 1000, "tracks_new": 500, "next_offset": 1000,
                "visited_at": LAST, "created_at": FIRST,
            }  # fmt: skip
            rows.append({**shared, "year_from": 0, "year_to": 9999, "status": "split"})
            for place in range(spans):
                years = 0 if place == 0 else 1950 + place * length, 1949 + (place + 1) * length
                years = years if place + 1 < spans else (years[0], 9998)
                is_open = place == genre % spans
                rows.append(
                    {**shared, "year_from": years[0], "year_to": years[1],
                     "status": "open" if is_open else ("exhausted", "capped")[place % 2],
                     "next_offset": 500 if is_open else 1000}
                )  # fmt: skip
        self.rows("shard", rows)

    def make_tracks(self) -> None:
        """Insert artists, tracks, aliases, credits and sightings."""
        self.insert(
            "artist",
            "id, source, source_id, name, name_key, fold",
            f"SELECT n, 'spotify', {self.padded('n')}, 'Artist ' || n, 'artist ' || n, fold"
            " FROM made_artist WHERE n IN (SELECT a1 FROM made_track)"
            " OR n IN (SELECT a2 FROM made_track) ORDER BY n",
        )
        test, validation = split.TEST_FOLD, split.VALIDATION_FOLD
        held = f"({validation}, {test})"
        self.insert(
            "track",
            "id, identity, name_key, ordinal, genre_id, claim_tied, title, artists, album, "
            "release_date, release_year, duration_ms, shortest_ms, longest_ms, explicit, "
            "popularity, isrc, features_provider, origin, track_fold, side, first_seen_at, "
            "last_seen_at, updated_at",
            f"""
            SELECT n, CASE WHEN n <> m THEN key || '|2' ELSE key END, key,
                CASE WHEN n <> m THEN 2 ELSE 1 END, genre, tied,
                'Song ' || m, 'Artist ' || a1 || coalesce('; Artist ' || a2, ''),
                'Album ' || (n / 10), CAST(year AS TEXT) || '-01-01', year, duration, duration,
                duration, explicit, CASE WHEN n % 20 <> 3 THEN popularity END,
                'QZMAD' || {self.padded("n", 8)}, {self.features_provider()},
                CASE WHEN n % 8 = 1 THEN '{IMPORT}' ELSE 'spotify' END, track_fold,
                CASE WHEN fold1 = {test} AND coalesce(fold2, {test}) = {test} THEN 'test_new'
                     WHEN fold1 = {validation} AND coalesce(fold2, {validation}) = {validation}
                     THEN 'validation_new'
                     WHEN fold1 IN {held} OR fold2 IN {held} THEN 'none'
                     WHEN track_fold = {test} THEN 'test_seen'
                     WHEN track_fold = {validation} THEN 'validation_seen' ELSE 'train' END,
                {self.seen}, {self.seen}, {self.seen}
            FROM (
                SELECT t.*, c.genre, coalesce(c.tied, 1 = 0) AS tied,
                    CAST(1950 + r.i % 76 AS INTEGER) AS year, r.j % 10 = 0 AS explicit,
                    CAST(120000 + t.e % 240000 + CASE WHEN t.n <> t.m THEN 400000 ELSE 0 END
                        AS INTEGER) AS duration,
                    CAST(r.k % 101 AS INTEGER) AS popularity
                FROM made_track AS t JOIN made_number AS r ON r.n = t.n
                LEFT JOIN made_claim AS c ON c.n = t.n
            ) AS described ORDER BY n
            """,
        )
        self.insert(
            "track_alias",
            "source, source_id, track_id",
            f"SELECT 'spotify', {self.padded('n')}, n FROM made_track ORDER BY n",
        )
        self.insert(
            "track_artist",
            "track_id, artist_id, position",
            "SELECT n, a1, 0 AS position FROM made_track UNION ALL"
            " SELECT n, a2, 1 FROM made_track WHERE a2 IS NOT NULL ORDER BY 1, 3",
        )
        self.insert(
            "sighting",
            "track_id, genre_id, source, best_rank, times, first_seen_at, last_seen_at",
            f"SELECT n, genre, source, min(rank), sum(times), {self.seen}, {self.seen}"
            " FROM made_sighting GROUP BY n, genre, source ORDER BY n, genre",
        )
        self.run(
            "UPDATE genre SET sightings ="
            " coalesce((SELECT many FROM made_count WHERE made_count.genre = genre.id), 0),"
            " tracks ="
            " coalesce((SELECT many FROM made_claims WHERE made_claims.genre = genre.id), 0)"
        )
        self.insert(
            "import_track",
            "track_id, import_id, created, delivered",
            f"SELECT n, 1, n % 8 = 1, CASE WHEN n % 8 = 1 THEN {CREATED_BITS} ELSE"
            f" {FEATURES_BIT} END FROM made_track WHERE n % 4 = 1 ORDER BY n",
        )
        self.insert(
            "import_sighting",
            "track_id, genre_id, import_id, best_rank, times",
            "SELECT n, genre, 1, rank, times FROM made_sighting"
            f" WHERE source = '{IMPORT}' ORDER BY n",
        )

    def features_provider(self) -> str:
        """Return an expression of the provider whose features the views show."""
        first = [name for name in features_provider.order(self.connection) if name in HAS_FEATURES]
        names = [*first, *sorted(HAS_FEATURES.keys() - set(first))]
        cases = " ".join(f"WHEN {HAS_FEATURES[name]} THEN '{name}'" for name in names)
        return f"CASE {cases} END"

    def make_features(self) -> None:
        """Insert features of two providers, attempts, and verdicts of two people.

        Of ten tracks two have no features: one was requested without success, and one in the last
        hundredth of the tracks was never requested.
        """
        values = {
            name: uniform(
                "(r.{} + t.g1 * 37 + 41 * (r.c % 60)) * 131".format("bcdefghijkb"[place]), *bounds
            )
            for place, (name, bounds) in enumerate(
                (name, bounds)
                for name, bounds in tables.FEATURE_RANGES.items()
                if name not in tables.CATEGORICAL_FEATURES
            )
        }
        values["energy"] = f"((t.g1 * 7 % 97) / 194.0 + {uniform('r.d', 0, 0.5)})"
        values["valence"] = f"((t.g1 * 31 % 89) / 178.0 + {uniform('r.f', 0, 0.5)})"
        values["tempo"] = f"(60 + t.g1 * 13 % 90 + {uniform('r.h', 0, 60)})"
        values["loudness"] = f"(-30 + t.g1 * 17 % 20 + {uniform('r.i', 0, 8)})"
        values["key"] = "CASE WHEN r.j % 100 > 0 THEN CAST(r.k % 12 AS INTEGER) END"
        values["mode"] = "CAST(r.i % 2 AS INTEGER)"
        values["time_signature"] = "CAST(3 + r.g % 2 AS INTEGER)"
        columns = ", ".join(tables.FEATURES)
        selected = ", ".join(values[name] for name in tables.FEATURES)
        joined = "FROM made_track AS t JOIN made_number AS r ON r.n = t.n"
        for provider, has in HAS_FEATURES.items():
            self.insert(
                "audio_features",
                f"track_id, provider, {columns}, fetched_at",
                f"SELECT t.n, '{provider}', {selected}, {self.now} {joined} WHERE t.{has}"
                " ORDER BY t.n",
            )
        later = self.moment(str(int(LAST.timestamp()) + 90 * 86_400))
        self.insert(
            "feature_attempt",
            "track_id, provider, attempts, next_at, outcome",
            f"""
            SELECT n, 'reccobeats', 1, CASE WHEN n % 10 >= 8 THEN {later} END,
                CASE WHEN n % 10 < 8 THEN 'known' ELSE 'unknown' END
            FROM made_track WHERE n % 10 < 9 OR n <= {self.tracks - self.tracks // 100} ORDER BY n
            """,
        )
        for person, step in (("ada", 0), ("bo", 1)):
            self.insert(
                "verdict",
                "track_id, labelled_by, genre_id, labelled_at",
                f"SELECT t.n, '{person}', (t.g1 - 1 + {step} * (r.k % 3)) % {self.genres} + 1,"
                f" {self.now} {joined} WHERE t.n % 1000 = 7 ORDER BY t.n",
            )

    def finish(self) -> None:
        """Make the indexes; let PostgreSQL's sequences continue after the rows."""
        self.create_indexes()
        if self.sqlite:
            return
        self.run(
            "INSERT INTO search_due (track_id) SELECT id FROM track ORDER BY id"
        )  # no trigger
        for table in ("genre", "artist", "track", "model"):
            self.run(
                f"SELECT setval('{table}_id_seq', (SELECT coalesce(max(id), 1) FROM {table}))"
            )


def fill(
    url: str, tracks: int, *, genres: int = 200, seed: int = 1, predictions: bool = False
) -> None:
    """Migrate an empty database at `url` and fill it."""
    schema_upgrade.upgrade(url)
    engine = make_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _without_foreign_keys)
    with transaction(engine) as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql(f"PRAGMA cache_size=-{CACHE_KIB}")
        generator = Generator(connection, tracks, genres, seed)
        generator.drop_indexes()
        generator.make_sources()
        generator.prepare()
        generator.make_shards()
        generator.make_tracks()
        generator.make_features()
        if predictions:
            made_predictions.make_predictions(
                generator,
                tracks=tracks,
                genres=genres,
                now=generator.now,
                created=LAST,
                origin=generator.detail,
            )
        generator.finish()
    search_index.fill(engine)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")  # as its autovacuum does
    engine.dispose()


def _without_foreign_keys(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA foreign_keys=OFF")  # no look-up for each, as on PostgreSQL


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="of an empty database: sqlite:///FILE or postgresql://…")
    parser.add_argument("--tracks", type=int, required=True)
    parser.add_argument("--genres", type=int, default=200, help="30 or more")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--predictions", action="store_true")
    given = parser.parse_args()
    if given.genres < 30 or given.tracks < given.genres:
        parser.error("it takes 30 genres or more, and as many tracks as genres or more")
    began = perf_counter()
    fill(
        given.url,
        given.tracks,
        genres=given.genres,
        seed=given.seed,
        predictions=given.predictions,
    )
    print(f"{given.tracks} tracks in {perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
