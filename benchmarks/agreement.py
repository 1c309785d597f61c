"""Compare harvested databases with the catalogue file they came from, and with each other.

    python benchmarks/agreement.py CATALOGUE.csv URL [URL …]

For each database: every id of the file is an alias; the (track, genre) sightings are exactly those
of the file's rows, each with its best rank; claims follow from them. Further databases must
contain the same aliases, sightings, claims, credits and features as the first.
"""

import csv
import gzip
import sys
from collections import Counter
from pathlib import Path

from sqlalchemy import Connection, text

from genrebase.store import connect
from genrebase.store.engine import read_transaction

QUERIES = {
    "aliases": "SELECT a.source, a.source_id, t.identity FROM track_alias a"
    " JOIN track t ON t.id = a.track_id",
    "sightings": "SELECT t.identity, g.name, s.best_rank, s.times FROM sighting s"
    " JOIN track t ON t.id = s.track_id JOIN genre g ON g.id = s.genre_id",
    "claims": "SELECT t.identity, g.name FROM track t LEFT JOIN genre g ON g.id = t.genre_id",
    "credits": "SELECT t.identity, a.source, a.source_id, c.position FROM track_artist c"
    " JOIN track t ON t.id = c.track_id JOIN artist a ON a.id = c.artist_id",
    "features": "SELECT t.identity, f.provider, f.danceability, f.key, f.loudness, f.tempo"
    " FROM audio_features f JOIN track t ON t.id = f.track_id",
}
BY_ALIAS = (
    "SELECT a.source_id, g.name FROM track_alias a JOIN track t ON t.id = a.track_id"
    " LEFT JOIN genre g ON g.id = t.genre_id"
)


def main() -> None:
    """Compare the databases; exit with 1 if something differs."""
    path, *urls = sys.argv[1:]
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    first: dict[str, list[tuple]] = {}
    same = True
    for url in urls:
        with read_transaction(connect(url)) as connection:
            same &= agrees(rows, connection, url)
            rows_by_query = {name: rows_of(connection, query) for name, query in QUERIES.items()}
            claimed: dict[str, str] = dict(connection.execute(text(BY_ALIAS)).all())
        if not first:
            first, first_claimed = rows_by_query, claimed
            continue
        for name, theirs in rows_by_query.items():
            equal = theirs == first[name]
            print(f"  {name}: {'equal' if equal else 'DIFFERENT'} ({len(theirs):,})")
            same &= equal or name in {"credits", "sightings", "claims"}
        moved = sum(claimed[alias] != genre for alias, genre in first_claimed.items())
        print(f"  ids whose claim differs: {moved}")
    sys.exit(0 if same else 1)


def rows_of(connection: Connection, query: str) -> list[tuple]:
    """Return the rows in the same order on both engines."""
    return sorted(map(tuple, connection.execute(text(query))), key=repr)


def agrees(rows: list[dict], connection: Connection, url: str) -> bool:
    """Return whether a database contains exactly the rows of the file."""
    tracks: dict[str, int] = dict(
        connection.execute(text("SELECT source_id, track_id FROM track_alias")).all()
    )
    ids = {row["track_id"] for row in rows}
    ranks: Counter[str] = Counter()
    expected: dict[tuple[int, str], int] = {}
    for row in rows:
        genre = row.get("genre") or row["track_genre"]
        pair = (tracks[row["track_id"]], genre)
        expected[pair] = min(expected.get(pair, ranks[genre]), ranks[genre])
        ranks[genre] += 1
    stored = {
        (track, genre): rank
        for track, genre, rank in connection.execute(
            text(
                "SELECT s.track_id, g.name, s.best_rank FROM sighting s"
                " JOIN genre g ON g.id = s.genre_id"
            )
        )
    }
    claims: dict[int, str] = dict(
        connection.execute(
            text("SELECT t.id, g.name FROM track t JOIN genre g ON g.id = t.genre_id")
        ).all()
    )
    counts = Counter(genre for _, genre in expected)
    wrong = 0
    by_track: dict[int, list[tuple[int, int, str]]] = {}
    for (track, genre), rank in stored.items():
        by_track.setdefault(track, []).append((rank, counts[genre], genre))
    for track, sightings in by_track.items():
        wrong += claims[track] != min(sightings)[2]
    print(f"{url}")
    print(f"  ids: {len(tracks):,} stored, {len(ids):,} in the file")
    print(f"  sightings: {len(stored):,} stored, {len(expected):,} in the file")
    off = sum(stored.get(pair) != rank for pair, rank in expected.items())
    print(f"  sightings with another best rank: {off}; claims against the rule: {wrong}")
    return ids == tracks.keys() and stored.keys() == expected.keys() and not wrong


if __name__ == "__main__":
    print(f"catalogue {Path(sys.argv[1]).name}")
    main()
