"""ASGI middleware that injects faults into responses."""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.middleware.faults import FAULTS_OF_ANY_RESPONSE, Fault, FaultPlan
from sandbox.middleware.rate_limit_middleware import is_api_request, service_of
from sandbox.middleware.request_stats import RequestStats
from sandbox.middleware.simulated_service import FaultShapes, SimulatedService

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FaultMiddleware:
    """Breaks responses between application and rate limit: a refusal is never broken."""

    app: ASGIApp
    services: Sequence[SimulatedService]
    faults: FaultPlan
    stats: RequestStats
    _numbers: "count[int]" = field(default_factory=count)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        service = service_of(self.services, scope["path"]) if is_api_request(scope) else None
        if service is None:
            await self.app(scope, receive, send)
            return
        random = self.faults.random_for(next(self._numbers))
        if not self.faults.is_faulty(random):
            await self.app(scope, receive, send)
            return
        response = _BufferedResponse()
        await self.app(scope, receive, response.receive)
        document = response.document()
        pages = service.faults.pages
        possible = (*FAULTS_OF_ANY_RESPONSE, *(pages.possible(document) if pages else ()))
        fault = self.faults.choose(random, possible)
        if fault is None:
            await response.send(send)
            return
        self.stats.record_fault(fault)
        _log.info("the next response is broken: %s", fault)
        if fault not in FAULTS_OF_ANY_RESPONSE and pages:
            pages.apply(document, fault, random)
            await JSONResponse(document)(scope, receive, send)
        else:
            await self._send(response, fault, service.faults, (scope, receive, send))

    async def _send(
        self,
        response: "_BufferedResponse",
        fault: Fault,
        shapes: FaultShapes,
        asgi: tuple[Scope, Receive, Send],
    ) -> None:
        send = asgi[2]
        half = response.body[: len(response.body) // 2]
        if fault is Fault.SERVER_ERROR:
            await shapes.server_error()(*asgi)
        elif fault is Fault.UNAVAILABLE:
            await shapes.unavailable()(*asgi)
        elif fault is Fault.TRUNCATED:
            start = response.start
            await Response(half, start["status"], media_type=response.media_type)(*asgi)
        elif fault is Fault.DROPPED:
            await send(response.start)  # with the full Content-Length; then the server hangs up
            await send(_body_message(half, more=True))
        else:
            await asyncio.sleep(self.faults.slow_seconds)
            await response.send(send)


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

    @property
    def media_type(self) -> str:
        return Headers(raw=self.start["headers"]).get("content-type", "application/json")

    def document(self) -> Any:
        """Return the JSON of a successful response, None for any other."""
        is_json = self.media_type.startswith("application/json")
        return json.loads(self.body) if self.start["status"] == 200 and is_json else None


def _body_message(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}
