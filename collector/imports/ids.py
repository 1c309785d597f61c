"""Bring in single tracks by their Spotify ids, without a genre: something to name.

Several ids are asked for in one call where that is open; in development mode, each by itself.
Ids that are stored already cost nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import structlog

from collector.catalogue import tracks
from collector.errors import BadRequest, Blocked, EndpointClosed, StopRequested
from collector.http.rate_limiter import RequestBudget
from collector.http.retry import RequestLimit, call_with_retries, recording_closed_endpoint
from collector.records import Provenance, RecordResult, SourceTrack, TrackObservation
from collector.sources import spotify_client
from collector.sources.spotify_items import parse_track
from genrebase.errors import UserError
from genrebase.runtime.clock import Clock
from genrebase.runtime.jobs import RunRecorder
from genrebase.store import source_ids
from genrebase.store.engine import Engine, read_transaction, transaction

JOB: Final = "add"
BATCH_IDS: Final = 50
"""Ids of one call, where several are taken."""

_COMMENT: Final = "#"

_log = structlog.get_logger(__name__)


class TrackClient(Protocol):
    """Answers with tracks by their ids, one request a call."""

    def tracks(self, ids: Sequence[str]) -> list[Any]:
        """Return tracks in the order asked, None where unknown."""
        ...

    def track(self, track_id: str) -> Any:
        """Return one track; raise `NotFound` where there is none."""
        ...


@dataclass(slots=True)
class AddResult:
    """What became of the ids."""

    requested: int = 0
    """Ids that were given, each once."""
    recorded: RecordResult = field(default_factory=RecordResult)
    """Ids stored before count among the duplicates."""
    not_found: list[str] = field(default_factory=list)
    """Ids that Spotify does not know."""
    unusable: dict[str, str] = field(default_factory=dict)
    """Per id that is no track with a name, why."""
    requests: int = 0
    stopped: Literal["done", "blocked", "interrupted"] = "done"
    blocked: Blocked | None = None

    @property
    def processed(self) -> int:
        """Ids that are settled."""
        settled = self.recorded.tracks_new + self.recorded.duplicates
        return settled + len(self.not_found) + len(self.unusable)

    def write_to(self, run: RunRecorder) -> None:
        """Write what was done into the row of the run."""
        run.count(
            requests=self.requests,
            tracks_new=self.recorded.tracks_new,
            duplicates=self.recorded.duplicates,
            unknown=len(self.not_found),
        )
        run.set_outcome("done" if self.stopped == "done" else self.stopped)


def parse_track_ids(given: Iterable[str]) -> list[str]:
    """Return the Spotify ids that people named, each once: ids, URIs, URLs, or files of them.

    A file has one a line; blank lines and lines that begin with # are passed. Raises `UserError`
    for what is none of these, so that nothing is asked for half a list.
    """
    found: list[str] = []
    for text in given:
        known_as = source_ids.parse_track_id(text)
        found += [known_as] if known_as else _ids_in(Path(text))
    return list(dict.fromkeys(found))


def _ids_in(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError):
        raise UserError(
            f"{str(file)!r} is no Spotify id, URI or URL of a track, and no readable text file."
        ) from None
    found = []
    for number, line in enumerate(map(str.strip, lines), start=1):
        if not line or line.startswith(_COMMENT):
            continue
        known_as = source_ids.parse_track_id(line)
        if known_as is None:
            raise UserError(
                f"Line {number} of {file} is no Spotify id, URI or URL of a track: {line[:80]!r}."
            )
        found.append(known_as)
    return found


@dataclass(frozen=True, slots=True)
class TrackAdder:
    """Everything that adding works with."""

    engine: Engine
    client: TrackClient
    budget: RequestBudget
    clock: Clock
    stop_requested: Callable[[], bool] = lambda: False

    def run(
        self, ids: Sequence[str], advance: Callable[[AddResult], None] = lambda _: None
    ) -> AddResult:
        """Bring these ids in; every answer is stored before the next is asked for."""
        outcome, allowance = AddResult(requested=len(ids)), RequestLimit()
        new = self._not_stored(ids)
        outcome.recorded = RecordResult(duplicates=len(ids) - len(new))
        try:
            for answers in self._answers(new, allowance):
                self._record(answers, outcome)
                outcome.requests = allowance.used
                advance(outcome)
        except Blocked as ban:
            outcome.stopped, outcome.blocked = "blocked", ban
        except StopRequested:
            outcome.stopped = "interrupted"
        outcome.requests = allowance.used
        return outcome

    def _not_stored(self, ids: Sequence[str]) -> list[str]:
        with read_transaction(self.engine) as connection:
            known = tracks.tracks_of_aliases(connection, source_ids.SPOTIFY, ids)
        return [source_id for source_id in ids if source_id not in known]

    def _answers(self, ids: Sequence[str], allowance: RequestLimit) -> Iterator[Mapping[str, Any]]:
        """Yield what was answered per id, request by request; None where it is not known."""
        for first in range(0, len(ids), BATCH_IDS):
            some = ids[first : first + BATCH_IDS]
            together = self._several(some, allowance) if len(some) > 1 else None
            if together is not None:
                yield together
                continue
            for source_id in some:
                yield {source_id: self._single(source_id, allowance)}

    def _several(self, ids: Sequence[str], allowance: RequestLimit) -> Mapping[str, Any] | None:
        """Ask for several at once; None where these must be asked for one by one."""
        if self.budget.capabilities.is_closed(
            spotify_client.TRACKS_ENDPOINT, self.clock.now().timestamp()
        ):
            return None
        try:
            with recording_closed_endpoint(self.budget, self.clock):
                found = self._ask(partial(self.client.tracks, ids), allowance)
        except EndpointClosed as closed:
            _log.info("endpoint closed", endpoint=closed.endpoint)
            return None
        except BadRequest:
            return None  # one of them is no id, and spoils the whole call
        return dict(zip(ids, found, strict=True))

    def _single(self, source_id: str, allowance: RequestLimit) -> Any:
        try:
            return self._ask(partial(self.client.track, source_id), allowance)
        except BadRequest:  # not found, or nothing that could be
            return None

    def _ask(self, call: Callable[[], Any], allowance: RequestLimit) -> Any:
        if self.stop_requested():
            raise StopRequested
        return call_with_retries(self.budget, self.clock, call, allowance)

    def _record(self, answers: Mapping[str, Any], outcome: AddResult) -> None:
        now, seen = self.clock.now(), []
        for source_id, answer in answers.items():
            if answer is None:
                outcome.not_found.append(source_id)
                continue
            parsed = parse_track(answer, now.year + 1)
            if isinstance(parsed, SourceTrack):
                seen.append(TrackObservation(parsed, None, 0))
            else:
                outcome.unusable[source_id] = parsed.value
        if seen:
            delivery = Provenance(spotify_client.NAME, provider=None)
            with transaction(self.engine) as connection:
                outcome.recorded += tracks.record(connection, seen, delivery, now)
