"""Choose the next file to download: item by item, from the genre that lacks most tracks."""

from collections import Counter
from dataclasses import dataclass, field

from collector.catalogue import audio_items, shards
from collector.catalogue.audio_downloads import DownloadKey
from collector.catalogue.audio_items import StoredItem
from collector.ports import AudioSource
from collector.records import RemoteFile
from genrebase.runtime.clock import Clock
from genrebase.store.engine import Connection, Engine, read_transaction


@dataclass(frozen=True, slots=True)
class QueuedFile:
    """A file to download."""

    key: DownloadKey
    item: StoredItem
    file: RemoteFile
    attempts: int
    """Earlier ones, which failed."""


@dataclass(slots=True)
class DownloadQueue:
    """The items and files of one source that are to be downloaded."""

    engine: Engine
    clock: Clock
    source: AudioSource
    licence: str
    """Licences of the items that are wanted, as in `genrebase.licences.is_allowed`."""
    _in_progress: dict[DownloadKey, frozenset[int]] = field(default_factory=dict)
    """Files that are downloaded and not recorded, with the genres of their items."""
    _exhausted: set[str] = field(default_factory=set)
    """Items all of whose files are in progress."""

    def begin(self, queued: QueuedFile, genre_ids: frozenset[int]) -> None:
        """Mark a file as in progress: it is not chosen again, and counts for its genres."""
        self._in_progress[queued.key] = genre_ids

    def end(self, key: DownloadKey) -> None:
        """Mark a file as recorded, or as to be chosen again."""
        self._in_progress.pop(key, None)
        self._exhausted.discard(key.item_id)

    def end_all(self) -> None:
        """Note that nothing is in progress any more: the run ended."""
        self._in_progress.clear()
        self._exhausted.clear()

    def next_items(self) -> list[StoredItem]:
        """Return the item to continue or to begin; several only if all wait for their files.

        If no genre lacks tracks, only items whose tracks are already recorded are returned.
        """
        with read_transaction(self.engine) as connection:
            allowed = audio_items.allowed_licences(connection, self.source.name, self.licence)
            if not allowed:
                return []
            if self.source.items_are_tracks:
                items = self._due(connection, allowed, None, self.source.batch_size)
                begun = [item for item in items if item.status == "open"]
                return begun[:1] or items
            for genre_id in self._lacking_genres(connection):
                items = self._due(connection, allowed, genre_id, 1)
                if items:
                    return items
        return []

    def next_file(self, item: StoredItem) -> QueuedFile | None:
        """Return the next file of an item; None if all of them are in progress."""
        with read_transaction(self.engine) as connection:
            files = audio_items.waiting_files(connection, item.source, item.item_id)
        for file, attempts in files:
            key = DownloadKey(item.source, item.item_id, file.name)
            if key not in self._in_progress:
                return QueuedFile(key, item, file, attempts)
        self._exhausted.add(item.item_id)
        return None

    def count_waiting(self) -> int:
        """Return the number of items that are needed and not done."""
        with read_transaction(self.engine) as connection:
            allowed = audio_items.allowed_licences(connection, self.source.name, self.licence)
            return audio_items.count_waiting(connection, self.source.name, allowed)

    def _due(
        self, connection: Connection, allowed: list[str], genre_id: int | None, limit: int
    ) -> list[StoredItem]:
        return audio_items.next_items(
            connection,
            self.source.name,
            self.clock.now(),
            allowed,
            genre_id=genre_id,
            excluded=self._exhausted,
            limit=limit,
        )

    def _lacking_genres(self, connection: Connection) -> list[int]:
        """Return the genres that lack tracks beyond those in progress, the most lacking first."""
        in_progress = Counter(
            genre_id for genre_ids in self._in_progress.values() for genre_id in genre_ids
        )
        progress = shards.genre_progress(connection)
        lacking = [
            (-one.missing_share, one.name, genre_id)
            for genre_id, one in progress.items()
            if one.target > one.tracks + in_progress[genre_id]
        ]
        return [genre_id for _, _, genre_id in sorted(lacking)]
