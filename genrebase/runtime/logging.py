"""Structured logging (structlog) to standard error, with secrets redacted."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import structlog

from genrebase.runtime.control_characters import escape_control_characters
from genrebase.runtime.redaction import redact_value
from genrebase.settings import GenrebaseSettings

_CAPPED: Final = ("spotipy", "urllib3", "requests")
"""Their DEBUG and INFO lines contain bearer tokens and full URLs."""
_MUTED: Final = ("apscheduler.scheduler", "urllib3")
"""Warn at every tick of a job that is still running, which is intended, and of headers that cannot
be parsed, whole: megabytes for each response of a malicious server."""
_QUIET: Final = ("apscheduler", "alembic", "uvicorn", "httpx", "matplotlib")
"""Verbose below WARNING, with nothing that our own logs lack."""


def configure(
    level: str | None = None, *, stream: TextIO | None = None, human: bool | None = None
) -> None:
    """Send all logs from `level` up, ours and the libraries', to `stream`.

    The defaults are `GENREBASE_LOG_LEVEL` and standard error. The lines are text on a terminal
    and JSON otherwise; `human` overrides that.
    """
    stream = stream or sys.stderr
    human = stream.isatty() if human is None else human
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared_processors(),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact_event,
                _renderer(human=human, colors=stream.isatty()),
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
            *_shared_processors(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def redact_event(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Redact tokens, client secrets and passwords, and escape control characters."""
    for key, value in event.items():
        event[key] = _escape(redact_value(key, value))
    return event


def _escape(value: object) -> object:
    if isinstance(value, str):
        return escape_control_characters(value)
    if isinstance(value, dict):
        return {_escape(name): _escape(item) for name, item in value.items()}
    return [_escape(item) for item in value] if isinstance(value, list) else value


def _shared_processors() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _renderer(*, human: bool, colors: bool) -> Any:
    if human:
        return structlog.dev.ConsoleRenderer(
            colors=colors, exception_formatter=structlog.dev.plain_traceback
        )
    return structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
