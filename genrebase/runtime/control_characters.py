"""Escape control characters, so that untrusted text cannot control a terminal or forge a log."""

import re
from typing import Final

_CONTROL: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""C0 (but tab and line feed), C1, line separators, bidirectional overrides, lone surrogates."""
_BYTE: Final = range(0xDC80, 0xDD00)
"""Surrogates that represent undecodable bytes of a file name."""


def escape_control_characters(text: str) -> str:
    r"""Return text with control characters as escape sequences, such as `\x1b` for ESC."""
    return _CONTROL.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code in _BYTE:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def escape_in_json(document: str) -> str:
    """Return a JSON text that means the same, with control characters escaped inside strings."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", document)
