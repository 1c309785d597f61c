"""Who labels: tracks that are held for a person, tracks skipped, and decisions to take back.

`dispute_orders` chooses the order of the tracks. Labels are stored in the database at once.
What is kept here are holds, so that two people do not get the same track, and each person's latest
decisions; both may be lost with the process.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from collector.curation.verdicts import LabelChange

HOLD_SECONDS: Final = 300.0
"""Seconds for which a track is held for the person who got it."""
MAX_DECISIONS: Final = 200
"""Decisions of a person that can be taken back."""
ONE_IN: Final = 20
"""One in so many tracks that a person gets is drawn at random."""
_MAX_PEOPLE: Final = 1_000
"""Sessions that are remembered; the oldest are forgotten."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A label, or a track that was skipped."""

    track_id: int
    genre: str | None = None
    """The label; None: skipped."""
    change: LabelChange | None = None
    """What was stored, and what was there before, which undo restores."""
    is_blind: bool = False
    """Whether the track was drawn at random and shown without its answers."""
    title: str = ""


@dataclass(slots=True)
class _Session:
    decisions: list[Decision] = field(default_factory=list)
    skipped: set[int] = field(default_factory=set)
    decided: int = 0
    """Decisions that were not taken back."""
    blind_track: int | None = None
    """The track that was drawn for this turn, until it is decided."""


class LabellingSessions:
    """Holds and decisions of everybody who labels; safe for threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sessions: dict[str, _Session] = {}
        self._holds: dict[int, tuple[str, float]] = {}

    def next_track(self, session: str, candidates: Iterable[int], now: float) -> int | None:
        """Return the first candidate that is neither skipped nor held by others, and hold it.

        `now` is in seconds of a clock that never steps back.
        """
        with self._lock:
            skipped = self._session(session).skipped
            for track_id in candidates:
                holder, until = self._holds.get(track_id, ("", 0.0))
                if track_id not in skipped and (holder in {"", session} or until <= now):
                    self._holds = {
                        held: (who, until)
                        for held, (who, until) in self._holds.items()
                        if until > now and who != session
                    }
                    self._holds[track_id] = (session, now + HOLD_SECONDS)
                    return track_id
        return None

    def is_blind_turn(self, session: str) -> bool:
        """Return whether the next track is to be drawn at random and shown without its answers."""
        with self._lock:
            return self._session(session).decided % ONE_IN == ONE_IN - 1

    def blind_track(self, session: str) -> int | None:
        """Return the track that was drawn for this turn; None if none was, or it is decided."""
        with self._lock:
            return self._session(session).blind_track

    def show_blind(self, session: str, track_id: int) -> None:
        """Remember the track that was drawn for this turn."""
        with self._lock:
            self._session(session).blind_track = track_id

    def unavailable(self, session: str, now: float) -> int:
        """Return the number of tracks that a session skipped or that others hold."""
        with self._lock:
            held = sum(who != session and until > now for who, until in self._holds.values())
            return held + len(self._session(session).skipped)

    def record(self, session: str, decision: Decision) -> None:
        """Remember a decision, so that it can be taken back."""
        with self._lock:
            state = self._session(session)
            state.decisions.append(decision)
            state.decided += 1
            state.blind_track = None
            del state.decisions[:-MAX_DECISIONS]
            if decision.genre is None:
                state.skipped.add(decision.track_id)
            self._holds.pop(decision.track_id, None)

    def latest(self, session: str, count: int = 10) -> list[Decision]:
        """Return the latest decisions of a session, the newest first."""
        with self._lock:
            return self._session(session).decisions[: -count - 1 : -1]

    def forget(self, session: str, track_id: int) -> None:
        """Forget the labels that a session gave a track: there is none left to take back."""
        with self._lock:
            state = self._session(session)
            state.decisions = [
                one for one in state.decisions if one.track_id != track_id or one.change is None
            ]

    def take_back(self, session: str) -> Decision | None:
        """Forget the latest decision and return it; None without one."""
        with self._lock:
            state = self._session(session)
            if not state.decisions:
                return None
            decision = state.decisions.pop()
            state.decided -= 1
            state.blind_track = decision.track_id if decision.is_blind else None
            if decision.genre is None:
                state.skipped.discard(decision.track_id)
            return decision

    def put_back(self, session: str, decision: Decision) -> None:
        """Remember a decision again that could not be taken back."""
        with self._lock:
            state = self._session(session)
            state.decisions.append(decision)
            state.decided += 1

    def _session(self, name: str) -> _Session:
        if name not in self._sessions and len(self._sessions) >= _MAX_PEOPLE:
            del self._sessions[next(iter(self._sessions))]
        return self._sessions.setdefault(name, _Session())
