"""Labels given in the browser: one form post decides and leads to the next disputed track.

Labels are stored by the function of `collector label`.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random, SystemRandom
from typing import Any, Final
from urllib.parse import quote, unquote

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from collector.curation import verdicts
from genrebase.errors import GenrebaseError, UserError
from genrebase.runtime.clock import Clock
from genrebase.runtime.monitoring import first_line
from genrebase.store import find, person_names, tables
from genrebase.store.engine import read_transaction
from web import blind_labels, template_filters
from web.forms import address_parameters, id_number, read_form
from web.labelling_sessions import HOLD_SECONDS, Decision, LabellingSessions
from web.pages import PageRequest, disputes
from web.problems import FormRefused, NotFound, logged_status, status_of

SESSION_COOKIE: Final = "genrebase_labels"
PERSON_COOKIE: Final = "genrebase_by"
CHOSEN: Final = ("order", "genre", "regime", "hide")
"""Parameters that stay while a person labels one track after another."""
_ACTIONS: Final = ("label", "skip", "undo", "withdraw")
_DRAWS: Final = 3
"""Tracks that are drawn for a turn: another person may have the first."""
_MAX_FORM_BYTES: Final = 8_192


@dataclass(frozen=True, slots=True)
class LabelProblem:
    """Why a decision on a track was not stored, and what was sent."""

    track_id: int
    parameters: Mapping[str, str]
    """Those of the track's address."""
    by: str
    other: str
    """The genre that was typed."""
    status: int
    sentence: str


@dataclass(frozen=True)
class LabelRoutes:
    """The routes that store labels."""

    reader: Engine
    writer: Engine
    clock: Clock
    sessions: LabellingSessions
    show_message: Callable[[int, str], Response]
    """Makes a page of a status code and a sentence."""
    show_track: Callable[[Request, LabelProblem], Response]
    """Makes the page of the track with its problem above the form, and the form as it was sent."""
    random: Random = field(default_factory=SystemRandom)
    """Draws the tracks that are shown blind."""

    def routes(self) -> list[Route]:
        """Return the routes; they come before the pages'."""
        return [
            Route("/disputes/next", self.next_dispute),
            Route("/label", self.label, methods=["POST"]),
        ]

    def next_dispute(self, request: Request) -> Response:
        """Lead to the next disputed track that nobody else has before him."""
        session = request.cookies.get(SESSION_COOKIE) or secrets.token_urlsafe(16)
        try:
            values = address_parameters(request.query_params.multi_items(), CHOSEN)
            track_id, is_blind = self._next_track(session, values)
        except (GenrebaseError, SQLAlchemyError) as error:
            return self._failure(request, error)
        chosen = template_filters.parameters({"blind": 1 if is_blind else "", **values})
        if track_id is None:
            return self.show_message(
                200,
                "No disputed label is left that you have not skipped and that nobody else has "
                f"open: an open track is held for {HOLD_SECONDS / 60:.0f} minutes.",
            )
        response = RedirectResponse(f"/tracks/{track_id}?disputes=1&{chosen}".rstrip("&"), 303)
        response.set_cookie(SESSION_COOKIE, session, httponly=True, samesite="strict")
        return response

    async def label(self, request: Request) -> Response:
        """Store a label, skip a track, or take the latest decision back."""
        session = request.cookies.get(SESSION_COOKIE) or secrets.token_urlsafe(16)
        try:
            fields = await read_form(request, _MAX_FORM_BYTES)
        except FormRefused as error:
            return self._failure(request, error)
        by = fields.get("by") or person_of(request.cookies)
        try:
            target = await run_in_threadpool(self._decide, session, by, fields)
        except (GenrebaseError, SQLAlchemyError) as error:
            return await run_in_threadpool(self._refusal, request, session, fields, error)
        response = RedirectResponse(target, 303)
        response.set_cookie(SESSION_COOKIE, session, httponly=True, samesite="strict")
        if by and len(by) <= person_names.MAX_LENGTH:
            # a name may have characters that a cookie cannot
            response.set_cookie(PERSON_COOKIE, quote(by), httponly=True, samesite="strict")
        return response

    def _decide(self, session: str, by: str, fields: Mapping[str, str]) -> str:
        filters = {**fields, "genre": fields.get("genre_filter", "")}
        parameters = template_filters.parameters({name: filters.get(name) for name in CHOSEN})
        action = fields.get("action", "label")
        if action not in _ACTIONS:
            raise UserError(f"There is no action {action[:50]!r}.")
        if action == "undo":
            decision = self.sessions.take_back(session)
            if decision is None:
                raise NotFound("There is no decision of yours to take back.")
            try:
                if decision.change is not None:
                    verdicts.undo(self.writer, decision.change)
            except BaseException:
                self.sessions.put_back(session, decision)
                raise
            blind = "&blind=1" if decision.is_blind else ""
            return f"/tracks/{decision.track_id}?disputes=1{blind}&{parameters}".rstrip("&")
        text = fields.get("track", "")
        track_id = id_number(text)
        if not track_id:
            raise UserError(f"There is no track {text[:50]!r}.")
        if action == "withdraw":
            verdicts.remove(self.writer, str(track_id), by)
            self.sessions.forget(session, track_id)
            return f"/tracks/{track_id}"
        is_blind = self.sessions.blind_track(session) == track_id
        title = self._title(track_id)
        decision = Decision(track_id, is_blind=is_blind, title=title)
        if action != "skip":
            genre = fields.get("genre") or fields.get("other", "")
            _check(genre, by)
            change = verdicts.add(
                self.writer, self.clock, str(track_id), genre, by, blind=is_blind
            )
            decision = Decision(track_id, change.stored.genre, change, is_blind, title)
        self.sessions.record(session, decision)
        if fields.get("disputes"):
            return f"/disputes/next?{parameters}"
        return f"/tracks/{track_id}"

    def _title(self, track_id: int) -> str:
        track = tables.track.c
        with read_transaction(self.reader) as connection:
            stored_id = find.find_track(connection, str(track_id))  # it may have been merged
            if stored_id is None:
                raise UserError(f"There is no track {track_id}.")
            return connection.scalar(select(track.title).where(track.id == stored_id)) or ""

    def _next_track(self, session: str, chosen: Mapping[str, str]) -> tuple[int | None, bool]:
        """Return the next track, and whether it was drawn at random and is shown blind.

        Else it is one of the stored disputes, or of all disputes if those are exhausted.
        """
        with read_transaction(self.reader) as connection:
            now = self.clock.monotonic()
            if self.sessions.is_blind_turn(session):
                drawn = self._drawn_track(connection, session, now)
                if drawn is not None:
                    return drawn, True
            page_request = PageRequest(connection, self.clock.now(), {}, chosen)
            candidates, may_have_more = disputes.stored_candidates(page_request)
            track_id = self.sessions.next_track(session, candidates, now)
            if track_id is None and may_have_more:
                limit = 1 + self.sessions.unavailable(session, now)
                more = disputes.more_candidates(page_request, limit)
                track_id = self.sessions.next_track(session, more, now)
        return track_id, False

    def _drawn_track(self, connection: Connection, session: str, now: float) -> int | None:
        """Return the track that is shown blind in this turn, drawn at random if none was yet."""
        before = self.sessions.blind_track(session)
        tracks = [before] if before else self._draws(connection)
        drawn = self.sessions.next_track(session, tracks, now)
        if drawn is not None:
            self.sessions.show_blind(session, drawn)
        return drawn

    def _draws(self, connection: Connection) -> list[int]:
        drawn = (blind_labels.draw(connection, self.random) for _ in range(_DRAWS))
        return [track for track in drawn if track is not None]

    def _refusal(
        self, request: Request, session: str, fields: Mapping[str, str], error: Exception
    ) -> Response:
        """Show the track again, with the reason and what was sent."""
        track_id = id_number(fields.get("track", ""))
        if not track_id:
            return self._failure(request, error)
        is_blind = self.sessions.blind_track(session) == track_id
        parameters = {
            "disputes": fields.get("disputes", ""),
            "blind": "1" if is_blind else "",
            **{name: fields.get(name, "") for name in CHOSEN},
            "genre": fields.get("genre_filter", ""),
        }
        by, other = fields.get("by", ""), fields.get("other", "")
        problem = LabelProblem(
            track_id, parameters, by, other, status_of(error), first_line(error)
        )
        return self.show_track(request, problem)

    def _failure(self, request: Request, error: Exception) -> Response:
        return self.show_message(logged_status(request.url.path, error), first_line(error))


def _check(genre: str, by: str) -> None:
    """Refuse a label without a name or a genre, in words that fit a page."""
    if not by.strip():
        raise UserError("Type your name: each label is stored with the name of who gave it.")
    if not genre.strip():
        raise UserError("Nothing was stored: choose a genre, or type another one.")


def person_of(cookies: Mapping[str, str]) -> str:
    """Return the name that the browser's user gave with an earlier label; empty if invalid."""
    try:
        return person_names.validate(unquote(cookies.get(PERSON_COOKIE, "")))
    except person_names.InvalidPersonName:
        return ""


def label_choices(track: Mapping[str, Any], predictions: list[dict[str, Any]]) -> list[str]:
    """Return the genres that a key decides: the claim, then the most probable, at most three."""
    names = [track["claim"], *(row["genre"] for row in predictions)]
    return list(dict.fromkeys(name for name in names if name))[:3]
