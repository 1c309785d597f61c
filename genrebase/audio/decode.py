"""Decode an audio file into samples, in blocks, with a hash of the decoded audio.

Needs the extra `audio` (soundfile, soxr). Every file is converted to mono at 44,100 Hz, so that
the features of different files can be compared; of a long file only the middle ten minutes are
used. The digest covers the whole decoded audio and does not depend on name, tags or path.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from genrebase.errors import GenrebaseError

Samples = NDArray[np.float32]

SAMPLE_RATE: Final = 44_100
"""Samples per second of the decoded audio."""
MAX_SECONDS: Final = 600.0
"""Seconds used of a longer file: its middle."""
MIN_SECONDS: Final = 1.0
"""Shorter files are refused."""
_BLOCK_SECONDS: Final = 10
"""Seconds decoded at once."""
_NO_FILE_CODE: Final = 7
"""libsndfile's code for a missing file; it also uses it for unknown formats."""
_FULL_SCALE: Final = float(np.iinfo(np.int16).max)


class UndecodableAudio(GenrebaseError):
    """A file cannot be decoded, or is too short."""


class _NonFiniteSamples(ValueError):
    """The audio contains infinities or NaN."""


@dataclass(frozen=True, slots=True)
class AudioClip:
    """The decoded audio of one file."""

    samples: Samples
    """Mono, -1..1, `SAMPLE_RATE` a second."""
    seconds: float
    """Duration of the whole file."""
    sample_rate: int
    """Samples per second in the file."""
    digest: str
    """SHA-256 of rate, channels and the decoded samples in 16 bits, in hexadecimal."""


def decode_file(path: Path) -> AudioClip:
    """Decode a file (wav, flac, ogg, mp3 and other formats of libsndfile).

    Raise `UndecodableAudio` with the reason.
    """
    if not path.is_file():
        raise UndecodableAudio(f"{path}: there is no such file.")
    if path.stat().st_size == 0:
        raise UndecodableAudio(f"{path}: the file is empty.")
    try:
        with soundfile.SoundFile(path) as file:
            samples, seconds, rate, digest = _decode(file)
    except _NonFiniteSamples:
        raise UndecodableAudio(f"{path}: the audio contains infinities or NaN.") from None
    except soundfile.SoundFileError as error:
        raise UndecodableAudio(
            f"{path}: this is not audio that can be decoded{_libsndfile_message(error)}."
        ) from error
    if seconds < MIN_SECONDS:
        raise UndecodableAudio(
            f"{path}: {seconds:.2f} s of audio; at least {MIN_SECONDS:g} s are needed."
        )
    return AudioClip(samples, seconds, rate, digest)


def _libsndfile_message(error: soundfile.SoundFileError) -> str:
    """Return libsndfile's message, if it is about the file."""
    message = getattr(error, "error_string", "").rstrip(".")
    return (
        f" ({message})"
        if message and getattr(error, "code", _NO_FILE_CODE) != _NO_FILE_CODE
        else ""
    )


def _decode(file: soundfile.SoundFile) -> tuple[Samples, float, int, str]:
    """Return the middle of the audio, its seconds, rate and digest.

    The length is counted, not taken from the header: the file may be truncated.
    """
    rate = int(file.samplerate)
    samples, frames, digest = _middle(file, file.frames)
    is_long = max(frames, file.frames) > MAX_SECONDS * rate
    if is_long and frames != file.frames:  # the header was wrong: the middle lies elsewhere
        file.seek(0)
        samples, frames, digest = _middle(file, frames)
    return samples, frames / rate, rate, digest


def _middle(file: soundfile.SoundFile, frames: int) -> tuple[Samples, int, str]:
    """Return the middle of `frames` frames, the number of frames, and the digest of all."""
    rate = int(file.samplerate)
    max_frames = int(MAX_SECONDS * rate)
    first = max(0, (frames - max_frames) // 2)
    digest = hashlib.sha256(f"{rate} {file.channels} ".encode())
    buffer = _MonoBuffer(rate)
    position = 0
    for block in _blocks(file):
        clipped = np.clip(np.nan_to_num(block, nan=0.0), -1.0, 1.0) * _FULL_SCALE
        digest.update(np.round(clipped).astype("<i2").tobytes())
        buffer.add(block[max(0, first - position) : max(0, first + max_frames - position)])
        position += len(block)
    return buffer.samples(), position, digest.hexdigest()


def _blocks(file: soundfile.SoundFile) -> Iterator[Samples]:
    """Yield the audio in blocks (samples, channels); each overwrites the block before.

    A truncated file ends where reading fails.
    """
    buffer = np.empty((_BLOCK_SECONDS * int(file.samplerate), file.channels), dtype=np.float32)
    position = 0
    while True:
        try:
            block = file.read(out=buffer)
        except soundfile.LibsndfileError:
            position, before = file.tell(), position
            if position <= 0:
                raise
            yield buffer[: max(0, position - before)]
            return
        if len(block) == 0:
            return
        yield block
        position += len(block)


class _MonoBuffer:
    """Collects blocks of audio, each converted to mono at `SAMPLE_RATE` at once.

    So long audio is in memory only once: neither at two rates, nor both whole and in blocks.
    """

    def __init__(self, rate: int) -> None:
        self._rate, self._frames, self._filled = rate, 0, 0
        self._samples = np.empty(int(MAX_SECONDS * SAMPLE_RATE) + 1, dtype=np.float32)
        self._resampler: soxr.ResampleStream | None = None
        if rate != SAMPLE_RATE:
            self._resampler = soxr.ResampleStream(
                rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ"
            )

    def add(self, block: Samples) -> None:
        if len(block) == 0:
            return
        if not np.isfinite(block).all():
            raise _NonFiniteSamples
        self._frames += len(block)
        self._put(block.mean(axis=1), last=False)

    def samples(self) -> Samples:
        """Return the samples; no block can be added afterwards."""
        self._put(np.zeros(0, dtype=np.float32), last=True)
        length = -(-self._frames * SAMPLE_RATE // self._rate)
        self._samples[self._filled : length] = 0.0  # samples lost to rounding
        return self._samples[:length]

    def _put(self, mono: Samples, *, last: bool) -> None:
        if self._resampler is not None:
            mono = self._resampler.resample_chunk(mono, last=last)
        target = self._samples[self._filled : self._filled + len(mono)]
        target[:] = mono[: len(target)]
        self._filled += len(target)
