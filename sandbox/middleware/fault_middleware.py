"""ASGI middleware that injects faults into responses."""

import asyncio
import json
import logging
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any, Final

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.api.json_objects import error_object
from sandbox.middleware.faults import Fault, FaultPlan, possible_faults
from sandbox.middleware.page_faults import apply_fault, find_page
from sandbox.middleware.rate_limit_middleware import is_api_request
from sandbox.middleware.request_stats import RequestStats

_HTML: Final = "<html><head><title>503 Service Unavailable</title></head><body></body></html>"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FaultMiddleware:
    """Breaks responses between application and rate limit: a 429 is never broken."""

    app: ASGIApp
    faults: FaultPlan
    stats: RequestStats
    _numbers: "count[int]" = field(default_factory=count)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_api_request(scope):
            await self.app(scope, receive, send)
            return
        random = self.faults.random_for(next(self._numbers))
        if not self.faults.is_faulty(random):
            await self.app(scope, receive, send)
            return
        response = _BufferedResponse()
        await self.app(scope, receive, response.receive)
        document = response.document()
        fault = self.faults.choose(random, possible_faults(find_page(document)))
        if fault is None:
            await response.send(send)
            return
        self.stats.record_fault(fault)
        _log.info("the next response is broken: %s", fault)
        await self._send(response, document, fault, random, (scope, receive, send))

    async def _send(
        self,
        response: "_BufferedResponse",
        document: Any,
        fault: Fault,
        random: Random,
        asgi: tuple[Scope, Receive, Send],
    ) -> None:
        send = asgi[2]
        half = response.body[: len(response.body) // 2]
        if fault is Fault.SERVER_ERROR:
            await JSONResponse(error_object(500, "Server error"), 500)(*asgi)
        elif fault is Fault.UNAVAILABLE:
            await HTMLResponse(_HTML, 503)(*asgi)
        elif fault is Fault.TRUNCATED:
            await Response(half, response.start["status"], media_type="application/json")(*asgi)
        elif fault is Fault.DROPPED:
            await send(response.start)  # with the full Content-Length; then the server hangs up
            await send(_body_message(half, more=True))
        elif fault is Fault.SLOW:
            await asyncio.sleep(self.faults.slow_seconds)
            await response.send(send)
        else:
            page = find_page(document)
            assert page is not None  # noqa: S101 - only then is such a fault possible
            apply_fault(page, fault, random)
            await JSONResponse(document)(*asgi)


@dataclass(slots=True)
class _BufferedResponse:
    start: Message = field(default_factory=dict)
    body: bytes = b""

    async def receive(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.body += message.get("body", b"")

    async def send(self, send: Send) -> None:
        await send(self.start)
        await send(_body_message(self.body, more=False))

    def document(self) -> Any:
        """Return the JSON of a successful response, None for any other."""
        return json.loads(self.body) if self.start["status"] == 200 else None


def _body_message(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}
