"""Real recordings from MusicBrainz and a published table in one database, in both orders.

    python -m benchmarks.two_sources RECORDINGS.csv TABLE.csv

RECORDINGS has a column of MBIDs (`recording_mbid`), titles, artists, lengths and AcousticBrainz'
numbers; TABLE is a dataset as `collector import` takes it. The sandbox serves the recordings as
MusicBrainz and AcousticBrainz. One database is harvested first and imports the table afterwards,
the other one imports first. Printed: the tracks of the recordings alone, the recordings that are
tracks of the table, too, and every difference between the databases. It exits with 1 if there is
one.
"""

import argparse
import csv
import sys
import tempfile
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, text

from collector import composition_root
from collector.curation import genres
from collector.datasets.formats.byte_source import ByteSource
from collector.enrichment.features import FeatureEnricher
from collector.imports.dataset import import_dataset
from collector.imports.records import ImportContext
from collector.settings import CollectorSettings
from genrebase.progress import no_progress
from genrebase.runtime.clock import SystemClock
from genrebase.store import schema_upgrade
from genrebase.store.engine import make_engine, read_transaction
from genrebase.store.tables import FEATURES
from sandbox.application import SandboxOptions
from sandbox.server import serve_in_thread
from sandbox.tracks import catalogue_file
from sandbox.tracks.catalogue import SandboxCatalogue

_TERM: Final = "artist_term_msd"
UNTAGGED: Final = "other music"
"""The tag of the recordings that the table has no genre of."""
_KEYED: Final = """
    WITH keyed AS (SELECT track_id, min(source || ':' || source_id) AS own FROM track_alias
        WHERE source <> 'name' GROUP BY track_id)
    {}
"""
"""A track is named by its first id: the number in `identity` is the order of arrival."""
CONTENT: Final = {
    name: _KEYED.format(query)
    for name, query in {
        "tracks": "SELECT own, t.name_key, t.track_fold, t.side, t.shortest_ms, t.longest_ms"
        " FROM track t JOIN keyed ON keyed.track_id = t.id",
        "claims": "SELECT own, g.name FROM track t JOIN keyed ON keyed.track_id = t.id"
        " JOIN genre g ON g.id = t.genre_id",
        "aliases": "SELECT own, a.source, a.source_id FROM track_alias a"
        " JOIN keyed ON keyed.track_id = a.track_id WHERE a.source <> 'name'",
        "sightings": "SELECT own, g.name, s.source, s.best_rank, s.votes, s.level FROM sighting s"
        " JOIN keyed ON keyed.track_id = s.track_id JOIN genre g ON g.id = s.genre_id",
        "credits": "SELECT own, a.name_key FROM track_artist c"
        " JOIN keyed ON keyed.track_id = c.track_id JOIN artist a ON a.id = c.artist_id",
        "features": f"SELECT own, f.provider, f.{', f.'.join(FEATURES)} FROM audio_features f"
        " JOIN keyed ON keyed.track_id = f.track_id",
    }.items()
}
SHARED: Final = """
    SELECT count(*) FROM track_alias a WHERE a.source = 'musicbrainz' AND EXISTS (
        SELECT 1 FROM sighting s WHERE s.track_id = a.track_id AND s.source <> 'musicbrainz')
"""


class SkippingClock(SystemClock):
    """A clock whose sleeps end at once, with the time after them."""

    def __init__(self) -> None:
        super().__init__()
        self._skipped = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self._skipped)

    def monotonic(self) -> float:
        return super().monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        self._skipped += max(seconds, 0.0)


def write_catalogue(recordings: Path, path: Path) -> list[str]:
    """Write the recordings with a genre each; return the genres."""
    with ByteSource(recordings).open() as file, path.open("w", newline="") as target:
        rows = csv.DictReader(line.decode() for line in file)
        kept = [column for column in rows.fieldnames or () if column != _TERM]
        writer = csv.DictWriter(target, [*kept, "genre"])
        writer.writeheader()
        names: Counter[str] = Counter()
        for row in rows:
            row["genre"] = row.pop(_TERM, "") or UNTAGGED
            names[row["genre"]] += 1
            writer.writerow(row)
    return sorted(names)


def harvest(engine: Engine, url: str, names: list[str]) -> None:
    """Harvest all recordings, and AcousticBrainz' numbers of them."""
    settings = CollectorSettings(
        _env_file=None,
        sources="musicbrainz",
        contact="somebody@example.org",
        sandbox_url=url,
        feature_order="acousticbrainz",
        timeout=30.0,
    )
    clock = SkippingClock()
    for name in names:
        genres.add(engine, clock, name, 1_000_000)
    outcome = composition_root.open_crawl(engine, settings, clock).run()
    enriched = FeatureEnricher(
        engine, clock, composition_root.open_providers(engine, settings, clock)
    ).run()
    print(
        f"  harvest: {outcome.requests:,} requests, {outcome.recorded.tracks_new:,} new tracks, "
        f"stopped: {outcome.stopped}; features: {enriched.found:,} in {enriched.requests:,} "
        f"requests {enriched.problems or ''}"
    )


def content_of(engine: Engine) -> dict[str, Counter[tuple[object, ...]]]:
    with read_transaction(engine) as connection:
        return {
            name: Counter(tuple(row) for row in connection.execute(text(query)))
            for name, query in CONTENT.items()
        }


def count(engine: Engine, query: str) -> int:
    with read_transaction(engine) as connection:
        return int(connection.scalar(text(query)) or 0)


def fill(folder: Path, order: str, url: str, names: list[str], table: Path) -> Engine:
    database = f"sqlite:///{folder / order}.db"
    schema_upgrade.upgrade(database)
    engine = make_engine(database)
    print(f"{order}:")
    for step in order.split("-"):
        started = time.process_time()
        if step == "harvest":
            harvest(engine, url, names)
        else:
            result = import_dataset(ImportContext(engine, SkippingClock(), no_progress), table)
            print(f"  import: {result.rows:,} rows, {result.tracks_new:,} new tracks")
        tracks = count(engine, "SELECT count(*) FROM track")
        print(f"  {tracks:,} tracks after {time.process_time() - started:.0f} CPU s")
    print(f"  {count(engine, SHARED):,} recordings are tracks of the table, too")
    return engine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recordings", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("--ties", type=int, default=0, help="places by which a page shuffles hits")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        catalogue = folder / "catalogue.csv"
        names = write_catalogue(options.recordings, catalogue)
        served = SandboxCatalogue(catalogue_file.read_table(catalogue))
        with serve_in_thread(
            served, SandboxOptions(mode="extended", musicbrainz_ties=options.ties)
        ) as running:
            contents = [
                content_of(fill(folder, order, running.url, names, options.table))
                for order in ("harvest-import", "import-harvest")
            ]
    differences = 0
    for name in CONTENT:
        first, second = (one[name] for one in contents)
        only = sum((first - second).values()), sum((second - first).values())
        differences += sum(only)
        print(f"{name}: {sum(first.values()):,} rows; only in one order: {only[0]:,}, {only[1]:,}")
        for row in [*(first - second), *(second - first)][:3]:
            print(f"  {row}")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
