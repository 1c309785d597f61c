"""Import single tracks by their ids, without a genre, for the classifier to predict.

Several ids are fetched in one request if that endpoint is open; in development mode, one by one.
Ids that are stored already cost no request.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog

from collector.catalogue import tracks
from collector.catalogue.aliases import tracks_of_aliases
from collector.errors import BadRequest, EndpointClosed, StopRequested
from collector.http.rate_limiter import RequestBudget
from collector.http.retry import RequestLimit, call_with_retries
from collector.imports import id_files
from collector.records import Provenance, RecordResult, SourceTrack, TrackObservation
from collector.run_outcome import RunOutcome
from collector.settings import CollectorSettings
from collector.sources import spotify_client
from collector.sources.item_fields import RejectReason
from collector.sources.musicbrainz_client import MergedRecording, MusicBrainzClient
from collector.sources.musicbrainz_items import Recording, parse_recording
from collector.sources.spotify_client import SpotifyClient
from collector.sources.spotify_items import parse_track
from genrebase.errors import UserError
from genrebase.runtime.clock import Clock
from genrebase.store import name_locks, source_ids
from genrebase.store.engine import Engine, read_transaction

JOB: Final = "add"
_BATCH_IDS: Final = 50
"""Ids of one request, where a source takes several."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TrackClient:
    """Fetches tracks by their ids, one request per call."""

    source: str
    """The source of the ids."""
    track: Callable[[str], Any]
    """Returns one track; raises `NotFound` if there is none."""
    parse: Callable[[Any, str, int], SourceTrack | RejectReason]
    """Returns the track of a response, or why it cannot be used: takes also the requested id, and
    the last year of a release."""
    tracks: Callable[[Sequence[str]], list[Any]] | None = None
    """Returns the tracks of several ids in order, None for an unknown one; None: not offered."""


def spotify_tracks(settings: CollectorSettings, clock: Clock) -> TrackClient:
    """Return the client of tracks by Spotify's ids; raise `BadCredentials` without any."""
    client = SpotifyClient(settings, clock)

    def parse(response: Any, _requested: str, last_year: int) -> SourceTrack | RejectReason:
        return parse_track(response, last_year)

    return TrackClient(source_ids.SPOTIFY, client.track, parse, client.tracks)


def musicbrainz_recordings(settings: CollectorSettings, clock: Clock) -> TrackClient:
    """Return the client of recordings by their MBIDs; raise `BadCredentials` without a contact."""
    client = MusicBrainzClient(settings, clock)

    def parse(response: Any, requested: str, last_year: int) -> SourceTrack | RejectReason:
        parsed = parse_recording(response, last_year, requested)
        return parsed.track if isinstance(parsed, Recording) else parsed

    return TrackClient(source_ids.MUSICBRAINZ, client.recording, parse)


@dataclass
class AddResult(RunOutcome):
    """The outcome for the requested ids."""

    requested: int = 0
    """Number of different requested ids."""
    recorded: RecordResult = field(default_factory=RecordResult)
    """Ids that were stored before count as duplicates."""
    not_found: list[str] = field(default_factory=list)
    """Ids that the source does not have."""
    unusable: dict[str, str] = field(default_factory=dict)
    """Why an id is not a track with a name."""

    @property
    def processed(self) -> int:
        """Number of ids with a result."""
        stored = self.recorded.tracks_new + self.recorded.duplicates
        return stored + len(self.not_found) + len(self.unusable)

    def counts(self) -> dict[str, int]:
        return {
            "tracks_new": self.recorded.tracks_new,
            "duplicates": self.recorded.duplicates,
            "unknown": len(self.not_found),
        }

    def facts(self) -> dict[str, Any]:
        """Return no facts besides the counts."""
        return {}

    def as_json(self) -> dict[str, Any]:
        return {
            "asked": self.requested,
            "tracks_new": self.recorded.tracks_new,
            "duplicates": self.recorded.duplicates,
            "unknown": self.not_found,
            "unusable": self.unusable,
            "requests": self.requests,
            "stopped": self.stopped,
            "blocked_until": self.blocked_until,
        }


def parse_recording_ids(arguments: Sequence[str]) -> list[str]:
    """Return the MBIDs of recordings in `arguments`, each once; none where none is there.

    Raises `UserError` where only some of them are MBIDs: one source is requested at a time.
    """
    mbids = [source_ids.parse_recording_id(text) for text in arguments]
    ids = list(dict.fromkeys(mbid for mbid in mbids if mbid is not None))
    if ids and None in mbids:
        other = arguments[mbids.index(None)]
        raise UserError(f"{other[:80]!r} is no MBID of a recording: give ids of one service only.")
    return ids


def parse_track_ids(
    arguments: Iterable[str], warn: Callable[[str], object] = lambda _sentence: None
) -> list[str]:
    """Return the Spotify ids in `arguments`, deduplicated: ids, URIs, URLs, or files of them.

    A file has one per line (blank lines and lines that begin with # are skipped), or is a table
    with a column of ids, in any format that can be imported. `warn` gets a sentence on rows
    without an id. Raises `UserError` for anything else, before the first request.
    """
    ids: list[str] = []
    for text in arguments:
        source_id = source_ids.parse_track_id(text)
        ids += [source_id] if source_id else id_files.read_ids(Path(text), warn)
    return list(dict.fromkeys(ids))


@dataclass(frozen=True, slots=True)
class TrackAdder:
    """Fetches tracks by id and records them."""

    engine: Engine
    client: TrackClient
    budget: RequestBudget
    clock: Clock
    stop_requested: Callable[[], bool] = lambda: False

    def run(
        self, ids: Sequence[str], advance: Callable[[AddResult], None] = lambda _: None
    ) -> AddResult:
        """Add these ids; every response is stored before the next request."""
        outcome, limit = AddResult(requested=len(ids)), RequestLimit()
        with read_transaction(self.engine) as connection:
            stored = tracks_of_aliases(connection, self.client.source, ids)
        new = [source_id for source_id in ids if source_id not in stored]
        outcome.recorded = RecordResult(duplicates=len(ids) - len(new))
        with outcome.until_stopped(limit):
            for responses in self._fetch_all(new, limit):
                self._record(responses, outcome)
                outcome.requests = limit.used
                advance(outcome)
        return outcome

    def _fetch_all(self, ids: Sequence[str], limit: RequestLimit) -> Iterator[Mapping[str, Any]]:
        """Yield the responses by id, request by request; None for a track that was not found."""
        for first in range(0, len(ids), _BATCH_IDS):
            batch = ids[first : first + _BATCH_IDS]
            responses = self._fetch_batch(batch, limit) if len(batch) > 1 else None
            if responses is not None:
                yield responses
                continue
            for source_id in batch:
                yield {source_id: self._fetch_one(source_id, limit)}

    def _fetch_batch(self, ids: Sequence[str], limit: RequestLimit) -> Mapping[str, Any] | None:
        """Fetch several tracks in one request; None if they have to be fetched one by one."""
        now, tracks_at_once = self.clock.now().timestamp(), self.client.tracks
        if tracks_at_once is None or self.budget.capabilities.is_closed(
            spotify_client.TRACKS_ENDPOINT, now
        ):
            return None
        try:
            responses = self._request(partial(tracks_at_once, ids), limit)
        except EndpointClosed as closed:
            _log.info("endpoint closed", endpoint=closed.endpoint)
            return None
        except BadRequest:
            return None  # one invalid id fails the whole request
        return dict(zip(ids, responses, strict=True))

    def _fetch_one(self, source_id: str, limit: RequestLimit) -> Any:
        try:
            try:
                return self._request(partial(self.client.track, source_id), limit)
            except MergedRecording as merged:
                return self._request(partial(self.client.track, merged.mbid), limit)
        except BadRequest:  # not found, or not a valid id
            return None

    def _request(self, call: Callable[[], Any], limit: RequestLimit) -> Any:
        if self.stop_requested():
            raise StopRequested
        return call_with_retries(self.budget, self.clock, call, limit)

    def _record(self, responses: Mapping[str, Any], outcome: AddResult) -> None:
        now, observations = self.clock.now(), []
        for source_id, response in responses.items():
            if response is None:
                outcome.not_found.append(source_id)
                continue
            parsed = self.client.parse(response, source_id, now.year + 1)
            if isinstance(parsed, SourceTrack):
                observations.append(TrackObservation(parsed, None, 0))
            else:
                outcome.unusable[source_id] = parsed.value
        if observations:
            provenance = Provenance(self.client.source, provider=None)
            outcome.recorded += name_locks.run_beside_others(
                self.engine,
                lambda connection: tracks.record(connection, observations, provenance, now),
            )
