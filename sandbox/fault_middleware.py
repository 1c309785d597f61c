"""What breaks answers on their way out."""

import asyncio
import json
import logging
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any, Final

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox import faults, page_faults
from sandbox.faults import Fault, FaultPlan
from sandbox.json_objects import error_object
from sandbox.rate_limit_middleware import ADMIN_PATH
from sandbox.request_stats import RequestStats

_HTML: Final = "<html><head><title>503 Service Unavailable</title></head><body></body></html>"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FaultMiddleware:
    """Stands between the gate and the application: what is refused for its rate is not broken."""

    app: ASGIApp
    faults: FaultPlan
    stats: RequestStats
    _numbers: "count[int]" = field(default_factory=count)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and break the answer where its number says so."""
        if scope["type"] != "http" or scope["path"].startswith(ADMIN_PATH):
            await self.app(scope, receive, send)
            return
        draw = self.faults.random_for(next(self._numbers))
        if not self.faults.is_faulty(draw):
            await self.app(scope, receive, send)
            return
        answer = _Answer()
        await self.app(scope, receive, answer.take)
        document = answer.document()
        fault = self.faults.choose(draw, faults.possible_faults(page_faults.find_page(document)))
        if fault is None:
            await answer.send(send)
            return
        self.stats.record_fault(fault)
        _log.info("the next answer is broken: %s", fault)
        await self._send(answer, document, fault, draw, (scope, receive, send))

    async def _send(
        self,
        answer: "_Answer",
        document: Any,
        fault: Fault,
        draw: Random,
        asgi: tuple[Scope, Receive, Send],
    ) -> None:
        send = asgi[2]
        if fault is Fault.SERVER_ERROR:
            await JSONResponse(error_object(500, "Server error"), 500)(*asgi)
        elif fault is Fault.UNAVAILABLE:
            await HTMLResponse(_HTML, 503)(*asgi)
        elif fault is Fault.TRUNCATED:
            half = answer.body[: len(answer.body) // 2]
            await Response(half, answer.start["status"], media_type="application/json")(*asgi)
        elif fault is Fault.DROPPED:
            await send(answer.start)  # names the whole length; then the server hangs up
            await send(_body(answer.body[: len(answer.body) // 2], more=True))
        elif fault is Fault.SLOW:
            await asyncio.sleep(self.faults.slow_seconds)
            await answer.send(send)
        else:
            page = page_faults.find_page(document)
            assert page is not None  # noqa: S101 - only then is such a fault possible
            page_faults.apply_fault(page, fault, draw)
            await JSONResponse(document)(*asgi)


@dataclass(slots=True)
class _Answer:
    """An answer that is held back."""

    start: Message = field(default_factory=dict)
    body: bytes = b""

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.body += message.get("body", b"")

    async def send(self, send: Send) -> None:
        await send(self.start)
        await send(_body(self.body, more=False))

    def document(self) -> Any:
        """Return the JSON of an answer that brought something, None for any other."""
        return json.loads(self.body) if self.start["status"] == 200 else None


def _body(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}
