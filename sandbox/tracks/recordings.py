"""The catalogue as MusicBrainz has it: recordings with MBIDs, tags with votes, merged ids."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from sandbox import ids
from sandbox.ids import share_from_bytes
from sandbox.tracks.catalogue import SandboxCatalogue, id_of_artist

UNTAGGED_SHARE: Final = 0.1
MERGED_SHARE: Final = 0.1
"""Share of recordings that have an older id, which redirects."""
SECOND_SHARE: Final = 0.04
"""Share of tracks that MusicBrainz has as two recordings."""
VIDEO_SHARE: Final = 0.02
UNDATED_SHARE: Final = 0.05
_NARROWER_SHARE: Final = 0.25
"""Share of tracks with the tag of a narrower genre; four in ten of them lack the broader one."""
_DOWNVOTED_SHARE: Final = 0.08
MAX_VOTES: Final = 12
_NARROWER: Final = ("indie {}", "progressive {}", "underground {}", "post-{}")
_NO_GENRES: Final = ("seen live", "favourites", "owned on vinyl")
"""Tags that name no genre."""

Tag = tuple[str, int]
"""Name and votes: up minus down, so that they can be 0 and negative."""


@dataclass(frozen=True, slots=True)
class SandboxRecording:
    """A recording of MusicBrainz."""

    mbid: str
    row: int
    """Number of the catalogue's row that it is made of."""
    tags: tuple[Tag, ...]
    """In order of their names."""
    date: str
    """First release, YYYY to YYYY-MM-DD; empty if unknown."""
    old_mbid: str | None = None
    """The id that redirects here since a merge."""
    index_lags: bool = False
    """Whether the search still returns the old id."""
    is_video: bool = False
    copy: int = 0
    """0 for the first recording of a track, above 0 for its others."""

    @property
    def search_mbid(self) -> str:
        """The id that a search returns."""
        return self.old_mbid if self.index_lags and self.old_mbid else self.mbid


class RecordingCatalogue:
    """All recordings, in the order of their MBIDs; made at the first request for one."""

    def __init__(self, catalogue: SandboxCatalogue) -> None:
        self.tracks = catalogue

    @cached_property
    def recordings(self) -> Sequence[SandboxRecording]:
        make = _from_mbids if self.tracks.has_mbids else _from_tracks
        return sorted(make(self.tracks), key=lambda recording: recording.mbid)

    @cached_property
    def by_mbid(self) -> Mapping[str, SandboxRecording]:
        return {recording.mbid: recording for recording in self.recordings}

    @cached_property
    def redirects(self) -> Mapping[str, str]:
        """Present ids by old ids."""
        return {
            recording.old_mbid: recording.mbid
            for recording in self.recordings
            if recording.old_mbid
        }

    @cached_property
    def by_isrc(self) -> Mapping[str, Sequence[int]]:
        """Numbers of the recordings with each ISRC."""
        by_isrc: dict[str, list[int]] = {}
        for number, recording in enumerate(self.recordings):
            if isrc := self.tracks.isrc_at(recording.row):
                by_isrc.setdefault(isrc.upper(), []).append(number)
        return by_isrc

    @cached_property
    def by_artist(self) -> Mapping[str, Sequence[int]]:
        """Numbers of the recordings that credit each artist, by MBID."""
        by_artist: dict[str, list[int]] = {}
        for number, recording in enumerate(self.recordings):
            for mbid, _ in self.artists(recording):
                by_artist.setdefault(mbid, []).append(number)
        return by_artist

    @cached_property
    def by_track(self) -> Mapping[str, Sequence[SandboxRecording]]:
        """The recordings of each track, by its Spotify id."""
        by_track: dict[str, list[SandboxRecording]] = {}
        for recording in self.recordings:
            if not recording.is_video:
                by_track.setdefault(self.tracks.id_at(recording.row), []).append(recording)
        return by_track

    @cached_property
    def genres(self) -> Mapping[str, str]:
        """MBIDs of the genres by name, in order of the names: every tag that names a genre."""
        tags = {name for recording in self.recordings for name, _ in recording.tags}
        decades = {name for name in tags if name[:4].isdigit()}
        names = sorted(tags - decades - {*_NO_GENRES})
        return {name: ids.uuid_from_text(f"genre|{name}") for name in names}

    def artists(self, recording: SandboxRecording) -> list[tuple[str, str]]:
        """Return MBID and name of each credited artist."""
        names = self.tracks.artists_at(recording.row)
        mbids = [ids.uuid_from_text(f"artist|{id_of_artist(name)}") for name in names]
        if given := self.tracks.cell_at(recording.row, "artist_mbid"):
            mbids[0] = given
        return list(zip(mbids, names, strict=True))


def _from_mbids(catalogue: SandboxCatalogue) -> Iterator[SandboxRecording]:
    """Yield a recording for each MBID of the table, as the table has it."""
    rows: dict[str, list[int]] = {}
    for number in range(catalogue.n_rows):
        if mbid := catalogue.cell_at(number, "mbid").lower():
            rows.setdefault(mbid, []).append(number)
    for mbid, numbers in rows.items():
        draws = ids.draws_from_text(mbid)
        tags = _votes(_genres(catalogue, numbers), draws)
        date = catalogue.release_date_at(numbers[0])
        yield SandboxRecording(mbid, numbers[0], _sorted_tags(tags), date)


def _from_tracks(catalogue: SandboxCatalogue) -> Iterator[SandboxRecording]:
    """Yield one recording or several for each track id of the table."""
    rows: dict[str, list[int]] = {}
    for number in range(catalogue.n_rows):
        rows.setdefault(catalogue.id_at(number), []).append(number)
    all_genres = [genre.lower() for genre in catalogue.genres]
    for track_id, numbers in rows.items():
        draws = ids.draws_from_text(track_id)
        genres = _genres(catalogue, numbers)
        date = "" if share_from_bytes(draws, 0) < UNDATED_SHARE else _date(catalogue, numbers[0])
        is_merged = share_from_bytes(draws, 2) < MERGED_SHARE
        yield SandboxRecording(
            mbid=ids.uuid_from_text(track_id),
            row=numbers[0],
            tags=_tags(genres, date, draws, all_genres),
            date=date,
            old_mbid=ids.uuid_from_text(f"{track_id}|old") if is_merged else None,
            index_lags=bool(draws[4] % 2),
        )
        is_second, is_video = (
            share_from_bytes(draws, at) < share
            for at, share in ((5, SECOND_SHARE), (7, VIDEO_SHARE))
        )
        for copy in (1,) * is_second + (2,) * is_video:
            name = f"{track_id}|{copy}"
            tags = _tags(genres, date, ids.draws_from_text(name), all_genres)
            mbid = ids.uuid_from_text(name)
            yield SandboxRecording(mbid, numbers[0], tags, date, is_video=copy == 2, copy=copy)


def _genres(catalogue: SandboxCatalogue, rows: Sequence[int]) -> list[str]:
    """Return the genres of several rows in lower case, as MusicBrainz writes tags."""
    genres = (genre.lower() for row in rows for genre in catalogue.genres_at(row))
    return list(dict.fromkeys(genres))


def _date(catalogue: SandboxCatalogue, row: int) -> str:
    """Return a row's date; a year that is derived from the id where the table has none."""
    return catalogue.release_date_at(row) or str(ids.year_from_id(catalogue.id_at(row)))


def _votes(genres: Sequence[str], draws: bytes) -> dict[str, int]:
    return {genre: 1 + draws[16 + number % 8] % MAX_VOTES for number, genre in enumerate(genres)}


def _tags(
    genres: Sequence[str], date: str, draws: bytes, all_genres: Sequence[str]
) -> tuple[Tag, ...]:
    """Return a recording's tags: its genres, narrower ones, wrong ones, and no genres at all."""
    if share_from_bytes(draws, 9) < UNTAGGED_SHARE:
        return ()
    tags = _votes(genres, draws)
    narrower = share_from_bytes(draws, 11) / _NARROWER_SHARE
    if narrower < 1 and genres:
        name = _NARROWER[draws[13] % len(_NARROWER)].format(genres[0])
        votes = tags.pop(genres[0]) if narrower < 0.4 else 1 + draws[14] % MAX_VOTES
        tags[name] = votes
    if share_from_bytes(draws, 24) < _DOWNVOTED_SHARE:
        tags.setdefault(all_genres[draws[26] % len(all_genres)], -(draws[27] % 3))
    if draws[28] < 64:
        tags.setdefault(_NO_GENRES[draws[29] % len(_NO_GENRES)], 1)
    if draws[30] < 32 and date:
        tags.setdefault(f"{date[:3]}0s", 1)
    return _sorted_tags(tags)


def _sorted_tags(tags: Mapping[str, int]) -> tuple[Tag, ...]:
    return tuple(sorted(tags.items()))
