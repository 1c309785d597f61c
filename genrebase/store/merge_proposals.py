"""Propose genres that may be one, by overlaps, confusions and verdicts. Nothing is merged here."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, select

from genrebase.store import tables, views

MIN_EVIDENCE: Final = 0.8
"""From here on two genres are proposed; 1: they are surely one."""
CONFUSION_WEIGHT: Final = 0.5
"""Genres that a model cannot tell from each other are not therefore one: its features may lack
what people hear. So confusions alone never suffice."""
FEW: Final = 10
"""Added to the number of tracks of a share: of few tracks it is little evidence."""
MIN_OVERLAP: Final = 0.05
"""Pairs with fewer tracks in common, and without a verdict, are not looked at."""

Pair = tuple[str, str]
"""Two genres, sorted by name."""


@dataclass(frozen=True, slots=True)
class MergeProposal:
    """Two genres that may be one."""

    keep: str
    """The genre with more tracks."""
    merge: str
    evidence: float
    """1 - (1 - overlap) (1 - confusion) (1 - verdicts), each from 0 to 1."""
    tracks: int = 0
    """Tracks that were sighted in both."""
    overlap: float = 0.0
    """Their share of the tracks that were sighted in either."""
    test_tracks: int = 0
    """Test tracks of unseen artists in either genre that the champion gave one of them."""
    confused: int = 0
    """Of these, those that it gave the other one."""
    verdicts: int = 0
    """Verdicts for one of the genres on tracks that a source has in one of them."""
    relabelled: int = 0
    """Of these, those for the other genre."""

    def sentence(self) -> str:
        """Return the evidence in words."""
        parts = []
        if self.tracks:
            share = (
                "every track is" if self.overlap == 1 else f"{self.overlap:.0%} of the tracks are"
            )
            parts.append(f"{share} under both")
        if self.confused:
            share = f"{self.confused:,} of {self.test_tracks:,}"
            parts.append(f"the champion predicts the other for {share} test tracks")
        if self.relabelled:
            parts.append(f"{self.relabelled:,} of {self.verdicts:,} verdicts name the other")
        return f"{self.merge} and {self.keep}: {', '.join(parts)}"

    def as_json(self) -> dict[str, Any]:
        """Return the fields and the sentence."""
        return {**asdict(self), "sentence": self.sentence()}


def read(connection: Connection) -> list[MergeProposal]:
    """Return the proposals for the genres of the database, the strongest first."""
    overlap = views.genre_overlaps.c
    pairs = select(overlap.genre, overlap.other_genre, overlap.tracks)
    return from_overlaps(connection, [tuple(row) for row in connection.execute(pairs)])


def from_overlaps(
    connection: Connection, overlaps: Iterable[tuple[str, str, int]]
) -> list[MergeProposal]:
    """Return the proposals; `overlaps`: (genre, other genre, common tracks), by name."""
    genre = tables.genre.c
    sizes: dict[str, int] = {
        row.name: row.sightings for row in connection.execute(select(genre.name, genre.sightings))
    }
    confusion, verdict = views.genre_confusions.c, tables.verdict.c
    claim, named = tables.genre.alias("claim"), tables.genre.alias("named")
    confusions = select(confusion.genre, confusion.predicted, confusion.tracks).where(
        confusion.task == "main",
        confusion.status == "champion",
        confusion.regime == "new_artist",
    )
    verdicts = (
        select(claim.c.name, named.c.name, func.count())
        .select_from(tables.verdict)
        .join(tables.track, tables.track.c.id == verdict.track_id)
        .join(claim, claim.c.id == tables.track.c.genre_id)
        .join(named, named.c.id == verdict.genre_id)
        .group_by(claim.c.name, named.c.name)
    )
    return propose(
        sizes,
        {_pair(one, other): tracks for one, other, tracks in overlaps},
        {(row[0], row[1]): row[2] for row in connection.execute(confusions)},
        {(row[0], row[1]): row[2] for row in connection.execute(verdicts)},
    )


def propose(
    sizes: Mapping[str, int],
    overlaps: Mapping[Pair, int],
    confusions: Mapping[tuple[str, str], int],
    verdicts: Mapping[tuple[str, str], int],
) -> list[MergeProposal]:
    """Return the proposals, the strongest first.

    `sizes`: sighted tracks of each genre; `overlaps`: common tracks of two; `confusions`: tracks
    by (label, predicted genre); `verdicts`: tracks by (claim, verdict).
    """
    pairs = {
        pair for pair, tracks in overlaps.items() if _overlap(sizes, pair, tracks) >= MIN_OVERLAP
    }
    pairs |= {_pair(*genres) for genres in verdicts if genres[0] != genres[1]}
    proposals = []
    for pair in sorted(pairs):
        if not set(pair) <= sizes.keys():
            continue  # renamed or removed meanwhile
        keep, merge = sorted(pair, key=lambda genre: (-sizes[genre], genre))
        tracks = overlaps.get(pair, 0)
        overlap = _overlap(sizes, pair, tracks)
        test_tracks, confused = _counts(confusions, pair)
        judged, relabelled = _counts(verdicts, pair)
        confusion = CONFUSION_WEIGHT * _exchanged(confused, test_tracks)
        evidence = 1 - (1 - overlap) * (1 - confusion) * (1 - _exchanged(relabelled, judged))
        if evidence >= MIN_EVIDENCE:
            counts = (tracks, overlap, test_tracks, confused, judged, relabelled)
            proposals.append(MergeProposal(keep, merge, evidence, *counts))
    return sorted(proposals, key=lambda one: (-one.evidence, -one.tracks, one.keep, one.merge))


def mapping(genres: Iterable[str], proposals: Iterable[MergeProposal]) -> dict[str, str]:
    """Return genre to genre: what is to be merged to the genre to keep, all others to themselves.

    Of genres that several proposals connect, the one that the strongest proposal keeps is kept.
    """
    kept = {genre: genre for genre in genres}
    for proposal in proposals:
        keep, merge = kept[proposal.keep], kept[proposal.merge]
        kept = {genre: keep if one == merge else one for genre, one in kept.items()}
    return kept


def _overlap(sizes: Mapping[str, int], pair: Pair, tracks: int) -> float:
    """Return the Jaccard index of two genres."""
    either = sum(sizes.get(genre, 0) for genre in pair) - tracks
    return tracks / either if either > 0 else 0.0


def _counts(table: Mapping[tuple[str, str], int], pair: Pair) -> tuple[int, int]:
    """Return the tracks of two genres that have one of them in `table`, and how many the other."""
    one, other = pair
    exchanged = table.get((one, other), 0) + table.get((other, one), 0)
    return exchanged + table.get((one, one), 0) + table.get((other, other), 0), exchanged


def _exchanged(exchanged: int, of: int) -> float:
    """Return 1 where half of many tracks have the other genre: a coin would do as well."""
    return min(1.0, 2 * exchanged / (of + FEW))


def _pair(one: str, other: str) -> Pair:
    return (one, other) if one < other else (other, one)
