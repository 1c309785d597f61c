"""Labels given in the browser: one form post decides and leads to the next disputed track.

Labels are stored by the function of `collector label`.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote

from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from collector.curation import verdicts
from genrebase.errors import GenrebaseError
from genrebase.runtime.clock import Clock
from genrebase.store.engine import read_transaction
from web import formats
from web.labelling import Decision, Labelling
from web.pages import NotFound, PageRequest, disputes
from web.problems import problem, title_of
from web.sections import query

SESSION_COOKIE: Final = "genrebase_labels"
PERSON_COOKIE: Final = "genrebase_by"
_MAX_FORM_BYTES: Final = 8_192
_OWN_LABEL: Final = """
SELECT g.name AS genre FROM verdict v JOIN genre g ON g.id = v.genre_id
WHERE v.track_id = :track_id AND v.labelled_by = :by
"""


@dataclass(frozen=True)
class LabelRoutes:
    """The routes that store labels."""

    reader: Engine
    writer: Engine
    clock: Clock
    labelling: Labelling
    show_message: Callable[[int, str], Response]
    """Makes a page of a status code and a sentence."""

    def routes(self) -> list[Route]:
        """Return the routes; they come before the pages'."""
        return [
            Route("/disputes/next", self.next_dispute),
            Route("/label", self.label, methods=["POST"]),
        ]

    def next_dispute(self, request: Request) -> Response:
        """Lead to the next disputed track that nobody else has before him."""
        session = request.cookies.get(SESSION_COOKIE) or secrets.token_urlsafe(16)
        with read_transaction(self.reader) as connection:
            page = disputes.page(
                PageRequest(connection, self.clock.now(), {}, dict(request.query_params))
            )
        candidates = (row["track_id"] for row in page.sections["disputes"].records)
        track_id = self.labelling.next_track(session, candidates, self.clock.monotonic())
        chosen = formats.parameters(
            {name: request.query_params.get(name) for name in ("order", "genre", "regime")}
        )
        if track_id is None:
            return self.show_message(
                200, "No disputed label is left that you have not skipped and nobody else has."
            )
        response = RedirectResponse(f"/tracks/{track_id}?disputes=1&{chosen}".rstrip("&"), 303)
        response.set_cookie(SESSION_COOKIE, session, httponly=True, samesite="strict")
        return response

    async def label(self, request: Request) -> Response:
        """Store a label, skip a track, or take the latest decision back."""
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_FORM_BYTES:
                return problem(413, title_of(413), "The form is larger than a label.")
        fields = formats.parse_form(body)
        session = request.cookies.get(SESSION_COOKIE) or secrets.token_urlsafe(16)
        by = fields.get("by") or person_of(request.cookies)
        try:
            target = await run_in_threadpool(self._decide, session, by, fields)
        except NotFound as error:
            return self.show_message(404, str(error))
        except GenrebaseError as error:
            return self.show_message(422, str(error))
        response = RedirectResponse(target, 303)
        response.set_cookie(SESSION_COOKIE, session, httponly=True, samesite="strict")
        if by:
            # a name may have characters that a cookie cannot
            response.set_cookie(PERSON_COOKIE, quote(by), httponly=True, samesite="strict")
        return response

    def _decide(self, session: str, by: str, fields: Mapping[str, str]) -> str:
        chosen = {name: fields.get(name) for name in ("order", "genre_filter", "regime")}
        parameters = formats.parameters(
            {"order": chosen["order"], "genre": chosen["genre_filter"], "regime": chosen["regime"]}
        )
        action = fields.get("action", "label")
        if action == "undo":
            decision = self.labelling.take_back(session)
            if decision is None:
                raise NotFound("There is no decision of yours to take back.")
            self._restore(decision)
            return f"/tracks/{decision.track_id}?disputes=1&{parameters}".rstrip("&")
        track_id = int(fields["track"]) if fields.get("track", "").isdecimal() else 0
        if action == "skip":
            self.labelling.record(session, Decision(track_id))
        else:
            before = self._own_label(track_id, by)
            stored = verdicts.add(
                self.writer, self.clock, str(track_id), fields.get("genre", ""), by
            )
            self.labelling.record(session, Decision(track_id, stored.genre, stored.by, before))
        if fields.get("disputes"):
            return f"/disputes/next?{parameters}"
        return f"/tracks/{track_id}"

    def _restore(self, decision: Decision) -> None:
        if decision.genre is None:
            return
        track = str(decision.track_id)
        if decision.before is None:
            verdicts.remove(self.writer, track, decision.by)
        else:
            verdicts.add(self.writer, self.clock, track, decision.before, decision.by)

    def _own_label(self, track_id: int, by: str) -> str | None:
        with read_transaction(self.reader) as connection:
            row = query(connection, "own", _OWN_LABEL, track_id=track_id, by=by).first()
        return row["genre"] if row else None


def person_of(cookies: Mapping[str, str]) -> str:
    """Return the name that the browser's user gave with an earlier label."""
    return unquote(cookies.get(PERSON_COOKIE, ""))


def label_choices(track: Mapping[str, Any], predictions: list[dict[str, Any]]) -> list[str]:
    """Return the genres that a key decides: the claim, then the most probable, at most three."""
    names = [track["claim"], *(row["genre"] for row in predictions)]
    return list(dict.fromkeys(name for name in names if name))[:3]
