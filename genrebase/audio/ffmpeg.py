"""Decode audio with the program ffmpeg, if it is installed: formats that libsndfile lacks.

The program runs as a child process with limits of time and of the size of its output.
"""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

PROGRAM: Final = "ffmpeg"
MAX_BYTES: Final = 4_000_000_000
"""Maximum of decoded audio, six hours in stereo: the limit of a WAV file."""
_SECONDS: Final = 60.0
_SECONDS_PER_MEGABYTE: Final = 1.0
"""Timeout of a file; decoding usually takes a hundredth of it."""
_MAX_MESSAGE: Final = 200
"""Maximum characters of ffmpeg's message."""
_LIMITS: Final = ("-nostdin", "-v", "error", "-protocol_whitelist", "file,pipe")
"""No prompts, and no network, because a file may be a playlist of URLs."""


class FfmpegFailed(Exception):
    """ffmpeg decoded no audio; the message has the reason."""


def is_installed() -> bool:
    """Return whether ffmpeg is installed."""
    return shutil.which(PROGRAM) is not None


def decode_to(path: Path, target: IO[bytes]) -> tuple[str, ...]:
    """Write the first audio stream of a file as WAV (16 bits), and return remarks.

    Raises `FfmpegFailed` if the program fails, takes too long, or is not installed.
    """
    output = ("-map", "0:a:0", "-c:a", "pcm_s16le", "-fs", str(MAX_BYTES), "-f", "wav", "pipe:1")
    message = _run(path, output, target)
    remarks = [f"ffmpeg reports damage: {message}"] if message else []
    target.seek(0, 2)
    if target.tell() >= MAX_BYTES:
        remarks.append(f"only the first {MAX_BYTES / 1e9:g} GB of decoded audio were read")
    target.seek(0)
    return tuple(remarks)


def read_tags(path: Path) -> Mapping[str, str]:
    """Return the tags of a file by their names in lower case; {} if there are none."""
    with TemporaryFile() as target:
        try:
            _run(path, ("-f", "ffmetadata", "pipe:1"), target)
        except FfmpegFailed:
            return {}
        target.seek(0)
        return _parse_metadata(target.read().decode("utf-8", "replace"))


def _run(path: Path, output: Sequence[str], target: IO[bytes]) -> str:
    """Run the program and return what it wrote to standard error."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise FfmpegFailed("ffmpeg is not installed")
    seconds = _SECONDS + _SECONDS_PER_MEGABYTE * path.stat().st_size / 1e6
    command = (program, *_LIMITS, "-i", f"file:{path.absolute()}", *output)
    with TemporaryFile() as messages:
        try:
            completed = subprocess.run(  # noqa: S603 - no shell; the path follows `file:`
                command,
                stdin=subprocess.DEVNULL,
                stdout=target,
                stderr=messages,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise FfmpegFailed(f"ffmpeg took more than {seconds:.0f} s") from None
        messages.seek(0)
        message = _last_line(messages.read(1 << 20).decode("utf-8", "replace"), path)
    if completed.returncode != 0:
        raise FfmpegFailed(message or f"ffmpeg ended with {completed.returncode}")
    return message


def _last_line(text: str, path: Path) -> str:
    """Return the last line of a message, without the file's name."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    return last.rpartition(f"{path.name}: ")[2][:_MAX_MESSAGE].rstrip(".")


def _parse_metadata(text: str) -> dict[str, str]:
    """Return the keys of ffmpeg's metadata format; special characters follow a backslash."""
    tags: dict[str, str] = {}
    plain = text.replace("\\\n", " ")
    for line in plain.splitlines():
        if line.startswith("["):  # chapters and streams follow
            break
        key, separator, value = line.partition("=")
        if separator and not line.startswith(";"):
            tags[key.lower()] = _unescape(value)
    return tags


def _unescape(value: str) -> str:
    characters = iter(value)
    return "".join(next(characters, "") if one == "\\" else one for one in characters)
