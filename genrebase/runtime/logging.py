"""Logs: structured, on standard error, without secrets."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import structlog

from genrebase.runtime.redaction import redact_value
from genrebase.settings import GenrebaseSettings

_CAPPED: Final = ("spotipy", "urllib3", "requests")
"""Their DEBUG and INFO lines print bearer tokens and whole addresses."""
_MUTED: Final = ("apscheduler.scheduler",)
"""It warns at every tick of a job that is still running, which is what we want of it."""
_QUIET: Final = ("apscheduler", "alembic", "uvicorn", "httpx", "matplotlib")
"""Chatty below WARNING, and nothing in it that we do not say ourselves."""


def configure(
    level: str | None = None, *, stream: TextIO | None = None, human: bool | None = None
) -> None:
    """Send every log from `level` up, ours and the libraries', to `stream`.

    By default from `GENREBASE_LOG_LEVEL` up, to standard error.

    Written for people on a terminal, as JSON lines otherwise; `human` overrides that.
    """
    stream = stream or sys.stderr
    human = stream.isatty() if human is None else human
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_common(),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact_event,
                _renderer(human=human),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level or GenrebaseSettings.load().log_level)
    for name in (*_CAPPED, *_QUIET):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    for name in _MUTED:
        logging.getLogger(name).setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_common(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def redact_event(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Hide tokens, client secrets and passwords, in values and in text."""
    for key, value in event.items():
        event[key] = redact_value(key, value)
    return event


def _common() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _renderer(*, human: bool) -> Any:
    if human:
        return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    return structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
