"""Control characters in text of strangers."""

import io
import json

import pytest
import structlog

from genrebase.runtime import logging
from genrebase.runtime.console import Output, print_error
from genrebase.runtime.control_characters import escape_control_characters, escape_in_json

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe\udce4\u2028end\r"
HARMLESS = "Beyoncé 愛 \u3000\u00a0 👩\u200d🎤\tx\ny"


def assert_is_harmless(text: str) -> None:
    assert not any(c in text for c in "\x1b\x07\x9b\u202e\udce4\u2028\r")
    text.encode()


def test_only_control_characters_are_escaped() -> None:
    """What a person reads stays as it is, in every script."""
    assert escape_control_characters(HARMLESS) == HARMLESS
    assert escape_control_characters("a\x1b[1m\udce4\u202e") == r"a\x1b[1m\xe4\u202e"


def test_json_means_the_same() -> None:
    """Escapes inside strings of a JSON text change nothing for its reader."""
    document = {"title": HOSTILE, "x": HARMLESS}
    text = escape_in_json(json.dumps(document, ensure_ascii=False))
    assert_is_harmless(text)
    assert json.loads(text) == document


def test_whatever_a_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """Messages, warnings, tables, progress, errors and JSON are safe to print."""
    for as_json in (False, True):
        output = Output(as_json=as_json)
        output.print(HOSTILE)
        output.warn(HOSTILE)
        output.table(HOSTILE, [HOSTILE], [[HOSTILE]])
        output.write_json({HOSTILE: HOSTILE})
        with output.progress(HOSTILE) as progress:
            progress(1, total=2, note=HOSTILE)
        print_error(HOSTILE)
    captured = capsys.readouterr()
    assert_is_harmless(captured.out + captured.err)
    assert "owned" in captured.out
    assert "owned" in captured.err


@pytest.mark.parametrize("human", [True, False])
def test_whatever_is_logged(human: bool) -> None:
    """A log line cannot be forged, nor drive the terminal that shows it."""

    stream = io.StringIO()
    logging.configure("DEBUG", stream=stream, human=human)
    log = structlog.get_logger("x")
    log.info("page", title=HOSTILE, nested={HOSTILE: [HOSTILE]}, reason=ValueError(HOSTILE))
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        log.exception("broke")
    text = stream.getvalue()
    if human:  # its colours are its own
        text = text.replace("\x1b[", "")
    assert_is_harmless(text)
