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

from collector import source_ids
from collector.catalogue import find, tracks
from collector.errors import BadRequest, Blocked, EndpointClosed, Interrupted
from collector.http.rate_limiter import Budget
from collector.http.retry import Allowance, ask, remembering_closed
from collector.records import Delivery, FoundTrack, Recorded, Seen
from collector.sources import spotify_client
from collector.sources.spotify_items import parse_track
from genrebase.errors import Refused
from genrebase.runtime.clock import Clock
from genrebase.runtime.jobs import Run
from genrebase.store.engine import Engine, reading, transaction

JOB: Final = "add"
BATCH: Final = 50
"""Ids of one call, where several are taken."""

_COMMENT: Final = "#"

_log = structlog.get_logger(__name__)


class Tracks(Protocol):
    """Answers with tracks by their ids, one request a call."""

    def tracks(self, ids: Sequence[str]) -> list[Any]:
        """Return tracks in the order asked, None where unknown."""
        ...

    def track(self, track_id: str) -> Any:
        """Return one track; raise `NotFound` where there is none."""
        ...


@dataclass(slots=True)
class Added:
    """What became of the ids."""

    asked: int = 0
    """Ids that were given, each once."""
    recorded: Recorded = field(default_factory=Recorded)
    """Ids stored before count among the duplicates."""
    unknown: list[str] = field(default_factory=list)
    """Ids that Spotify does not know."""
    unusable: dict[str, str] = field(default_factory=dict)
    """Per id that is no track with a name, why."""
    requests: int = 0
    stopped: Literal["done", "blocked", "interrupted"] = "done"
    blocked: Blocked | None = None

    @property
    def done(self) -> int:
        """Ids that are settled."""
        settled = self.recorded.tracks_new + self.recorded.duplicates
        return settled + len(self.unknown) + len(self.unusable)

    def write_to(self, run: Run) -> None:
        """Write what was done into the row of the run."""
        run.count(
            requests=self.requests,
            tracks_new=self.recorded.tracks_new,
            duplicates=self.recorded.duplicates,
            unknown=len(self.unknown),
        )
        run.outcome("done" if self.stopped == "done" else self.stopped)


def read_ids(given: Iterable[str]) -> list[str]:
    """Return the Spotify ids that people named, each once: ids, URIs, URLs, or files of them.

    A file has one a line; blank lines and lines that begin with # are passed. Raises `Refused`
    for what is none of these, so that nothing is asked for half a list.
    """
    found: list[str] = []
    for text in given:
        known_as = source_ids.spotify_track(text)
        found += [known_as] if known_as else _ids_in(Path(text))
    return list(dict.fromkeys(found))


def _ids_in(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError):
        raise Refused(
            f"{str(file)!r} is no Spotify id, URI or URL of a track, and no readable text file."
        ) from None
    found = []
    for number, line in enumerate(map(str.strip, lines), start=1):
        if not line or line.startswith(_COMMENT):
            continue
        known_as = source_ids.spotify_track(line)
        if known_as is None:
            raise Refused(
                f"Line {number} of {file} is no Spotify id, URI or URL of a track: {line[:80]!r}."
            )
        found.append(known_as)
    return found


@dataclass(frozen=True, slots=True)
class Adder:
    """Everything that adding works with."""

    engine: Engine
    client: Tracks
    budget: Budget
    clock: Clock
    stop_requested: Callable[[], bool] = lambda: False

    def run(self, ids: Sequence[str], advance: Callable[[Added], None] = lambda _: None) -> Added:
        """Bring these ids in; every answer is stored before the next is asked for."""
        outcome, allowance = Added(asked=len(ids)), Allowance()
        new = self._not_stored(ids)
        outcome.recorded = Recorded(duplicates=len(ids) - len(new))
        try:
            for answers in self._answers(new, allowance):
                self._record(answers, outcome)
                outcome.requests = allowance.spent
                advance(outcome)
        except Blocked as ban:
            outcome.stopped, outcome.blocked = "blocked", ban
        except Interrupted:
            outcome.stopped = "interrupted"
        outcome.requests = allowance.spent
        return outcome

    def _not_stored(self, ids: Sequence[str]) -> list[str]:
        with reading(self.engine) as connection:
            known = find.known_ids(connection, source_ids.SPOTIFY, ids)
        return [source_id for source_id in ids if source_id not in known]

    def _answers(self, ids: Sequence[str], allowance: Allowance) -> Iterator[Mapping[str, Any]]:
        """Yield what was answered per id, request by request; None where it is not known."""
        for first in range(0, len(ids), BATCH):
            some = ids[first : first + BATCH]
            together = self._several(some, allowance) if len(some) > 1 else None
            if together is not None:
                yield together
                continue
            for source_id in some:
                yield {source_id: self._single(source_id, allowance)}

    def _several(self, ids: Sequence[str], allowance: Allowance) -> Mapping[str, Any] | None:
        """Ask for several at once; None where these must be asked for one by one."""
        if self.budget.capabilities.is_closed(spotify_client.TRACKS, self.clock.now().timestamp()):
            return None
        try:
            with remembering_closed(self.budget, self.clock):
                found = self._ask(partial(self.client.tracks, ids), allowance)
        except EndpointClosed as closed:
            _log.info("endpoint closed", endpoint=closed.endpoint)
            return None
        except BadRequest:
            return None  # one of them is no id, and spoils the whole call
        return dict(zip(ids, found, strict=True))

    def _single(self, source_id: str, allowance: Allowance) -> Any:
        try:
            return self._ask(partial(self.client.track, source_id), allowance)
        except BadRequest:  # not found, or nothing that could be
            return None

    def _ask(self, call: Callable[[], Any], allowance: Allowance) -> Any:
        if self.stop_requested():
            raise Interrupted
        return ask(self.budget, self.clock, call, allowance)

    def _record(self, answers: Mapping[str, Any], outcome: Added) -> None:
        now, seen = self.clock.now(), []
        for source_id, answer in answers.items():
            if answer is None:
                outcome.unknown.append(source_id)
                continue
            parsed = parse_track(answer, now.year + 1)
            if isinstance(parsed, FoundTrack):
                seen.append(Seen(parsed, None, 0))
            else:
                outcome.unusable[source_id] = parsed.value
        if seen:
            delivery = Delivery(spotify_client.NAME, provider=None)
            with transaction(self.engine) as connection:
                outcome.recorded += tracks.record(connection, seen, delivery, now)
