"""Replace earlier names and genres of audio files by those of their current tags.

A name from tags takes precedence over one from a file name, and new tags of a changed file over
its old ones. A renamed track becomes a new track, because identity, fold and side depend on the
name; the old one is merged into it. Only tracks that no other source delivered are changed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, and_, delete

from collector.audio.metadata import SOURCE, parse_file_name
from collector.catalogue import genre_counters, track_claims, track_merging
from collector.catalogue.aliases import tracks_of_aliases
from collector.records import ArtistCredit, SourceTrack
from genrebase.audio.records import PackedFeatures
from genrebase.audio.scan import AudioFile
from genrebase.store import bulk, names, tables


@dataclass(frozen=True, slots=True)
class AudioFileRecord:
    """A file as a track with its genres and features."""

    file: AudioFile
    digest: str
    track: SourceTrack
    genres: Sequence[str]
    """The first one counts."""
    features: PackedFeatures | None
    """None if they are stored already."""
    is_tagged: bool = False
    """Whether the name, or a part of it, comes from tags."""
    vectors: Mapping[str, bytes] = field(default_factory=dict)
    """Values of pre-trained networks, by descriptor set."""


@dataclass(frozen=True, slots=True)
class _StoredName:
    title: str
    artists: str
    name_key: str
    keys: tuple[str, ...]
    """The keys of its files."""


@dataclass(slots=True)
class Replacements:
    """Tracks whose names or genres are replaced with a batch."""

    renamed: dict[str, int] = field(default_factory=dict)
    """Tracks with another name, by the digest of their audio."""
    relabelled: set[int] = field(default_factory=set)
    """Tracks whose earlier genres were detached."""
    kept: dict[str, _StoredName] = field(default_factory=dict)
    """The kept names of stored tracks, by the digest of their audio."""
    other_names: dict[str, str] = field(default_factory=dict)
    """Per key of a file, the stored name of its audio, if it is not the file's."""


def _preference(record: AudioFileRecord) -> int:
    """Return the preference of a name: from tags, with an artist, or only a file's name."""
    return 2 * record.is_tagged + bool(record.track.artists[0].name)


def unify_names(
    records: Sequence[AudioFileRecord], replacements: Replacements
) -> list[SourceTrack]:
    """Return the tracks to record: identical audio has one name, the stored one or the best.

    Other names are added to `replacements.other_names`.
    """
    best: dict[str, AudioFileRecord] = {}
    for record in records:
        chosen = best.setdefault(record.digest, record)
        if _preference(record) > _preference(chosen):
            best[record.digest] = record
    return [_unify(record, best[record.digest].track, replacements) for record in records]


def _unify(record: AudioFileRecord, best: SourceTrack, replacements: Replacements) -> SourceTrack:
    track = record.track
    stored = replacements.kept.get(record.digest)
    name_key = best.name_key if stored is None else stored.name_key
    if track.source != SOURCE or track.name_key == name_key:
        return track
    if stored is not None:
        replacements.other_names[record.file.key] = _full_name(stored.title, stored.artists)
        # the id identifies the stored track: no other artist is added to it
        return track._replace(artists=(ArtistCredit(""),), match_by_name=False)
    artists = "; ".join(artist.name for artist in best.artists)
    replacements.other_names[record.file.key] = _full_name(best.title, artists)
    return track._replace(
        title=best.title,
        artists=best.artists,
        match_by_name=best.match_by_name,
        recording=best.recording,
    )


def _full_name(title: str, artists: str) -> str:
    return f"{artists} - {title}" if artists else title


def begin(connection: Connection, records: Sequence[AudioFileRecord]) -> Replacements:
    """Detach the old names and genres of stored tracks, before the files are recorded."""
    own = [record for record in records if record.track.source == SOURCE]
    ids = tracks_of_aliases(connection, SOURCE, [record.digest for record in own])
    stored = _only_from_files(connection, ids.values())
    every_name = _names_of(connection, ids.values())
    done = Replacements()
    for record in own:
        track_id = ids.get(record.digest)
        if track_id not in stored or track_id is None:
            continue
        name = stored[track_id]
        if record.genres and not _others(name.keys, record.file.key):
            done.relabelled |= detach_genres(connection, {track_id: record.genres})
        if record.digest not in done.renamed and _is_replaced(name, record):
            done.renamed[record.digest] = track_id
    done.kept = {
        digest: every_name[track_id]
        for digest, track_id in ids.items()
        if digest not in done.renamed
    }
    alias = tables.track_alias
    connection.execute(
        delete(alias).where(alias.c.source == SOURCE, alias.c.source_id.in_(done.renamed))
    )
    return done


def finish(connection: Connection, replacements: Replacements, now: datetime) -> int:
    """Merge the tracks of old names into those of new names; return how many are new tracks."""
    ids = tracks_of_aliases(connection, SOURCE, replacements.renamed)
    merged: set[int] = set()
    for digest, old in replacements.renamed.items():
        if ids[digest] != old and old not in merged:
            track_merging.merge_into(connection, ids[digest], old, SOURCE, now, with_credits=False)
            merged.add(old)
    track_claims.recompute(connection, sorted(replacements.relabelled - merged))
    return len(merged)


def _is_replaced(stored: _StoredName, record: AudioFileRecord) -> bool:
    """Return whether the name of a file replaces the stored one."""
    key = record.track.name_key
    has_artist = bool(record.track.artists[0].name)
    is_better = (
        has_artist or not stored.artists if record.is_tagged else has_artist > bool(stored.artists)
    )
    if not is_better or key == stored.name_key:
        return False
    return record.file.key in stored.keys or any(
        _is_name_of(stored, other) for other in stored.keys
    )


def _is_name_of(stored: _StoredName, key: str) -> bool:
    """Return whether a track's name is that of a file."""
    artist, title = parse_file_name(Path(key).stem)
    return (names.normalise(title), names.normalise(artist)) == (
        names.normalise(stored.title),
        names.normalise(stored.artists),
    )


def _others(keys: Iterable[str], key: str) -> bool:
    """Return whether another file of the track still exists."""
    others = (other for other in keys if other != key)
    return any(other.startswith("sha256:") or Path(other).exists() for other in others)


def _only_from_files(connection: Connection, track_ids: Iterable[int]) -> dict[int, _StoredName]:
    """Return the names of those tracks that nothing but audio files delivered."""
    rows = bulk.select_in(
        connection,
        "SELECT t.id, t.title, t.artists, t.name_key, f.path FROM {values} CROSS JOIN track t"
        " JOIN sound_file f ON f.track_id = t.id WHERE t.id = listed.value AND t.origin = {mark}"
        " AND NOT EXISTS (SELECT 1 FROM track_alias a WHERE a.track_id = t.id"
        " AND a.source <> {mark})",
        list(dict.fromkeys(track_ids)),
        SOURCE,
        SOURCE,
    )
    keys = bulk.grouped((tuple(track), key) for *track, key in rows)
    return {
        track_id: _StoredName(title, artists, name_key, tuple(own))
        for (track_id, title, artists, name_key), own in keys.items()
    }


def _names_of(connection: Connection, track_ids: Iterable[int]) -> dict[int, _StoredName]:
    """Return the names of tracks, without their files."""
    columns = ("id", "title", "artists", "name_key")
    rows = bulk.rows_of(connection, "track", "id", list(dict.fromkeys(track_ids)), columns)
    return {row[0]: _StoredName(row[1], row[2], row[3], ()) for row in rows}


def own_tracks(connection: Connection, keys: Mapping[int, str]) -> set[int]:
    """Return the tracks that only one existing file delivered; `keys` holds its key per track."""
    stored = _only_from_files(connection, keys)
    return {
        track_id for track_id, name in stored.items() if not _others(name.keys, keys[track_id])
    }


def genres_of(connection: Connection, track_ids: Iterable[int]) -> dict[int, dict[str, int]]:
    """Return the genres that audio files gave tracks, with their best ranks."""
    rows = bulk.select_in(
        connection,
        "SELECT s.track_id, g.name, s.best_rank FROM {values} CROSS JOIN sighting s"
        " CROSS JOIN genre g WHERE s.track_id = listed.value AND s.source = {mark}"
        " AND g.id = s.genre_id",
        list(dict.fromkeys(track_ids)),
        SOURCE,
    )
    genres: dict[int, dict[str, int]] = {}
    for track_id, name, rank in rows:
        genres.setdefault(track_id, {})[name] = rank
    return genres


def ranks_of(genres: Sequence[str]) -> dict[str, int]:
    """Return the ranks of a file's genres: the first genre is the claim."""
    return {name: min(position, 1) for position, name in enumerate(genres)}


def detach_genres(connection: Connection, new_genres: Mapping[int, Sequence[str]]) -> set[int]:
    """Remove the files' sightings of tracks that have other genres; return these tracks.

    The caller records the new genres, and recomputes the claims.
    """
    stored = genres_of(connection, new_genres)
    changed = {
        track_id for track_id, ranks in stored.items() if ranks != ranks_of(new_genres[track_id])
    }
    if changed:
        sighting = tables.sighting
        of_changed = and_(sighting.c.track_id.in_(changed), sighting.c.source == SOURCE)
        before = genre_counters.count_sightings(connection, changed)
        connection.execute(delete(sighting).where(of_changed))
        change = genre_counters.count_sightings(connection, changed)
        change.subtract(before)
        genre_counters.add(connection, change)
    return changed
