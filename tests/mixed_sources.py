"""A database whose labels and features come from many sources, under licences drawn by chance.

`Mix` keeps what it stored, and says in plain Python what a training may use of it: an oracle that
shares no code with the classifier.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from sqlalchemy import Connection, Engine, insert

from collector.catalogue import genre_counters, track_claims
from genrebase.audio import packed_vectors
from genrebase.store import tables
from genrebase.store.engine import transaction
from genrebase.store.settings import DEFAULT_FEATURE_ORDER
from tests import factories as make
from tests.fakes import NOON

GENRES = ("folk", "jazz", "rock")
LICENCES = {
    "spotify": "terms",
    "musicbrainz": "cc-by-nc-sa-3.0",
    "discogs": "cc0",
    "internetarchive": "unknown",
    "csv:a.csv": "cc-by-4.0",
    "csv:b.csv": "unknown",
    "reccobeats": "unknown",
    "audio": "unknown",
    "acousticbrainz": "cc0",
}
OPEN = {"cc0", "cc-by-4.0", "cc-by-sa-4.0", "public-domain"}
NONCOMMERCIAL = {"cc-by-nc-sa-3.0", "cc-by-nc-4.0"}
ITEM_LICENCES = (*sorted(OPEN | NONCOMMERCIAL), "cc-by-nc-nd-4.0", "unknown", "no such licence")
LABEL_SOURCES = ("spotify", "musicbrainz", "discogs", "internetarchive", "csv:a.csv", "csv:b.csv")
PROVIDERS = ("spotify", "reccobeats", "audio", "acousticbrainz")
DESCRIPTOR_SET = "mine"


@dataclass(frozen=True)
class Label:
    """A sighting."""

    track: int
    genre: str
    source: str
    rank: int
    votes: int | None
    level: int | None
    licence: str


@dataclass(frozen=True)
class Features:
    """Features of a track, by one provider; the descriptor has the same value as the energy."""

    track: int
    provider: str
    energy: float
    licence: str


def is_allowed(licence: str, policy: str) -> bool:
    allowed = {"open": OPEN, "noncommercial": OPEN | NONCOMMERCIAL}
    return policy == "any" or licence in allowed[policy]


class Mix:
    """Tracks with labels and features, drawn by a seed."""

    def __init__(self, engine: Engine, seed: int, tracks: int = 150) -> None:
        self._random = Random(seed)
        self.labels: list[Label] = []
        self.features: list[Features] = []
        self.documents: dict[int, tuple[float, str]] = {}
        """Track to the tempo that a document gives it, and its licence."""
        self.verdicts: dict[int, str] = {}
        with transaction(engine) as connection:
            connection.execute(
                insert(tables.data_source),
                [
                    {"name": name, "licence": licence, "noted_at": NOON}
                    for name, licence in LICENCES.items()
                ],
            )
            connection.execute(
                insert(tables.descriptor_schema).values(name=DESCRIPTOR_SET, columns=["loud"])
            )
            self.genres = {name: make.add_genre(connection, name) for name in GENRES}
            for number in range(tracks):
                self._add(connection, number)
            genre_counters.recount(connection, self.genres.values())
            track_claims.recompute(
                connection, sorted({label.track for label in self.labels} | self.verdicts.keys())
            )

    def claims(self, policy: str, max_level: int) -> dict[int, str]:
        """Return track to claim by the labels that are allowed."""
        allowed = list(self.allowed_labels(policy, max_level))
        counts = Counter(genre for _, genre in {(one.track, one.genre) for one in allowed})
        best: dict[int, dict[str, int]] = {}
        for one in allowed:
            ranks = best.setdefault(one.track, {})
            ranks[one.genre] = min(one.rank, ranks.get(one.genre, one.rank))
        return {
            track: min(ranks, key=lambda genre: (ranks[genre], counts[genre], genre))
            for track, ranks in best.items()
        }

    def allowed_labels(self, policy: str, max_level: int) -> Iterator[Label]:
        for one in self.labels:
            reaches = one.level is None or one.level <= max_level
            if reaches and is_allowed(one.licence, policy):
                yield one

    def features_of(self, policy: str) -> dict[int, Features]:
        """Return track to the features of its first provider that is allowed."""

        def order(one: Features) -> tuple[int, str]:
            known = one.provider in DEFAULT_FEATURE_ORDER
            place = DEFAULT_FEATURE_ORDER.index(one.provider) if known else 99
            return place, one.provider

        chosen: dict[int, Features] = {}
        for one in sorted(self.features, key=order, reverse=True):
            if is_allowed(one.licence, policy):
                chosen[one.track] = one
        return chosen

    def _add(self, connection: Connection, number: int) -> None:
        random = self._random
        artist = f"Artist {random.randrange(60)}"
        popularity = random.choice([None, 10, 50])
        track = make.add_track(connection, f"Song {number}", [artist], popularity=popularity)
        for genre in GENRES:
            for source in LABEL_SOURCES:
                if random.random() < 0.2:
                    self._sight(connection, track, genre, source)
        if random.random() < 0.1:
            genre = random.choice(GENRES)
            make.add_verdict(connection, track, self.genres[genre])
            self.verdicts[track] = genre
        for provider in PROVIDERS:
            if random.random() < 0.4:
                self._measure(connection, track, provider)
        if random.random() < 0.4:
            self._document(connection, track)

    def _sight(self, connection: Connection, track: int, genre: str, source: str) -> None:
        random = self._random
        own = random.choice(ITEM_LICENCES) if source == "internetarchive" else None
        votes = random.choice([None, 1, 3, 8]) if source == "musicbrainz" else None
        level = random.choice([None, 0, 1, 2]) if source in ("musicbrainz", "discogs") else None
        rank = random.randrange(4)
        make.add_sighting(
            connection,
            track,
            self.genres[genre],
            source=source,
            best_rank=rank,
            votes=votes,
            level=level,
            licence=own,
        )
        licence = own or LICENCES[source]
        self.labels.append(Label(track, genre, source, rank, votes, level, licence))

    def _document(self, connection: Connection, track: int) -> None:
        random = self._random
        provider, origin = random.choice(
            [("acousticbrainz", "acousticbrainz"), ("essentia", "csv:b.csv")]
        )
        row = {"track_id": track, "provider": provider, "recording_id": "x", "origin": origin}
        tempo = round(random.uniform(60, 180), 3)
        connection.execute(
            insert(tables.acousticbrainz_recording).values(**row, bpm=tempo, fetched_at=NOON)
        )
        self.documents[track] = (tempo, LICENCES[origin])

    def _measure(self, connection: Connection, track: int, provider: str) -> None:
        random = self._random
        own = random.choice([None, *ITEM_LICENCES]) if provider == "audio" else None
        energy = round(random.random(), 6)
        make.add_features(connection, track, provider, energy=energy, licence=own)
        row = {"track_id": track, "provider": provider, "schema": DESCRIPTOR_SET}
        data = packed_vectors.pack([energy])
        connection.execute(insert(tables.descriptor).values(**row, data=data, fetched_at=NOON))
        self.features.append(Features(track, provider, energy, own or LICENCES[provider]))
