"""Structured logs on standard error, without secrets."""

import io
import json
import logging as stdlib

import pytest
import structlog

from genrebase.runtime import logging

TOKEN = "BQDx0123456789abcdefghijklmnop"


def test_without_a_terminal_a_line_is_a_json_object() -> None:
    """Machines get one JSON object a line, with level, time and logger."""
    stream = io.StringIO()
    logging.configure(stream=stream)
    structlog.get_logger("collector.crawl.harvest_loop").info("page", genre="r&b", items=50)
    line = json.loads(stream.getvalue())
    assert (line["event"], line["genre"], line["items"]) == ("page", "r&b", 50)
    assert (line["level"], line["logger"]) == ("info", "collector.crawl.harvest_loop")
    assert line["timestamp"].endswith("Z")


def test_a_terminal_gets_readable_lines_and_tracebacks() -> None:
    """On a terminal a line is readable and an error shows where it came from."""
    stream = io.StringIO()
    logging.configure(stream=stream, human=True)
    try:
        raise ValueError("odd")
    except ValueError:
        structlog.get_logger("x").exception("broke", genre="rap")
    assert "broke" in stream.getvalue()
    assert "ValueError: odd" in stream.getvalue()
    assert "Traceback" in stream.getvalue()


@pytest.mark.parametrize("human", [True, False])
def test_secrets_never_appear(human: bool) -> None:
    """Neither in values nor in text, tracebacks or the lines of libraries."""
    stream = io.StringIO()
    logging.configure("DEBUG", stream=stream, human=human)
    log = structlog.get_logger("x")
    log.info("request", headers={"Authorization": f"Bearer {TOKEN}"}, client_secret=TOKEN)
    log.info(f"url=https://me:{TOKEN}@host/")
    stdlib.getLogger("somebody.else").warning("sending %s", f"Authorization: Bearer {TOKEN}")
    try:
        raise ValueError(f"client_secret={TOKEN}")
    except ValueError:
        log.exception("broke")
        stdlib.getLogger("somebody.else").exception("broke too")
    assert stream.getvalue().count("\n") >= 5
    assert TOKEN not in stream.getvalue()


@pytest.mark.parametrize("name", ["spotipy", "spotipy.client", "requests"])
def test_library_loggers_are_limited(name: str) -> None:
    """spotipy logs its bearer token at DEBUG; it is limited to WARNING."""
    stream = io.StringIO()
    logging.configure("DEBUG", stream=stream)
    stdlib.getLogger(name).debug("headers")
    stdlib.getLogger(name).info("headers")
    assert stream.getvalue() == ""
    stdlib.getLogger(name).warning("slow")
    assert "slow" in stream.getvalue()


def test_what_urllib3_warns_of_is_not_logged() -> None:
    """It repeats headers that cannot be parsed, whatever a server sends in them."""
    stream = io.StringIO()
    logging.configure("DEBUG", stream=stream)
    stdlib.getLogger("urllib3.connection").warning("Failed to parse headers: …")
    assert stream.getvalue() == ""
    stdlib.getLogger("urllib3.connection").error("broken")
    assert "broken" in stream.getvalue()


def test_the_level_is_kept() -> None:
    """Messages below the requested level are not written."""
    stream = io.StringIO()
    logging.configure("WARNING", stream=stream)
    structlog.get_logger("x").info("quiet")
    assert stream.getvalue() == ""


def test_the_level_comes_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an explicit level GENREBASE_LOG_LEVEL applies."""
    monkeypatch.setenv("GENREBASE_LOG_LEVEL", "ERROR")
    stream = io.StringIO()
    logging.configure(stream=stream)
    structlog.get_logger("x").warning("quiet")
    structlog.get_logger("x").error("loud")
    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()
