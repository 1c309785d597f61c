"""Decode an audio file into samples, in blocks, with a hash of the decoded audio.

Needs the extra `audio` (soundfile, soxr). Every file is converted to mono at 44,100 Hz, so that
the features of different files can be compared; of a long file the middle ten minutes are used.
The digest covers the whole decoded audio: it does not depend on name, tags or place of the file.
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
"""Seconds of a longer file that are used: its middle."""
MIN_SECONDS: Final = 1.0
"""Shorter files are refused."""
_BLOCK: Final = 10
"""Seconds decoded at once."""
_NO_FILE: Final = 7
"""libsndfile's code for a missing file; it also uses it for unknown formats."""
_FULL: Final = float(np.iinfo(np.int16).max)


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
    """Of the whole file."""
    sample_rate: int
    """Samples per second in the file."""
    digest: str
    """SHA-256 of rate, channels and the decoded samples in 16 bits, in hexadecimal."""


def decode_file(path: Path) -> AudioClip:
    """Decode a file (wav, flac, ogg, mp3 and what else libsndfile reads).

    Raise `UndecodableAudio` with the reason.
    """
    if not path.is_file():
        raise UndecodableAudio(f"{path}: there is no such file.")
    if path.stat().st_size == 0:
        raise UndecodableAudio(f"{path}: the file is empty.")
    try:
        with soundfile.SoundFile(path) as sound:
            samples, seconds, rate, digest = _decoded(sound)
    except _NonFiniteSamples:
        raise UndecodableAudio(f"{path}: the sound holds values that are no numbers.") from None
    except soundfile.SoundFileError as error:
        raise UndecodableAudio(
            f"{path}: this is no sound that can be decoded{_libsndfile_message(error)}."
        ) from error
    if seconds < MIN_SECONDS:
        raise UndecodableAudio(
            f"{path}: {seconds:.2f} s of sound; at least {MIN_SECONDS:g} s are needed."
        )
    return AudioClip(samples, seconds, rate, digest)


def _libsndfile_message(error: soundfile.SoundFileError) -> str:
    """Return libsndfile's message, if it is about the file."""
    said = getattr(error, "error_string", "").rstrip(".")
    return f" ({said})" if said and getattr(error, "code", _NO_FILE) != _NO_FILE else ""


def _decoded(sound: soundfile.SoundFile) -> tuple[Samples, float, int, str]:
    """Return the middle of the audio, its seconds, rate and digest.

    The length is counted, not taken from the header: the file may be truncated.
    """
    rate = int(sound.samplerate)
    kept, frames, digest = _middle(sound, sound.frames)
    is_long = max(frames, sound.frames) > MAX_SECONDS * rate
    if is_long and frames != sound.frames:  # the middle is somewhere else
        sound.seek(0)
        kept, frames, digest = _middle(sound, frames)
    return kept, frames / rate, rate, digest


def _middle(sound: soundfile.SoundFile, frames: int) -> tuple[Samples, int, str]:
    """Return the middle of `frames` frames, the number of frames, and the digest of all."""
    rate = int(sound.samplerate)
    kept_frames = int(MAX_SECONDS * rate)
    first = max(0, (frames - kept_frames) // 2)
    digest = hashlib.sha256(f"{rate} {sound.channels} ".encode())
    kept = _MonoBuffer(rate)
    position = 0
    for block in _blocks(sound):
        clipped = np.clip(np.nan_to_num(block, nan=0.0), -1.0, 1.0) * _FULL
        digest.update(np.round(clipped).astype("<i2").tobytes())
        kept.add(block[max(0, first - position) : max(0, first + kept_frames - position)])
        position += len(block)
    return kept.samples(), position, digest.hexdigest()


def _blocks(sound: soundfile.SoundFile) -> Iterator[Samples]:
    """Yield the audio, (samples, channels), some seconds at a time in the same buffer.

    A truncated file ends where it cannot be read further.
    """
    room = np.empty((_BLOCK * int(sound.samplerate), sound.channels), dtype=np.float32)
    position = 0
    while True:
        try:
            block = sound.read(out=room)
        except soundfile.LibsndfileError:
            position, before = sound.tell(), position
            if position <= 0:
                raise
            yield room[: max(0, position - before)]
            return
        if len(block) == 0:
            return
        yield block
        position += len(block)


class _MonoBuffer:
    """Blocks of a sound, brought to mono at `SAMPLE_RATE` one by one.

    So a long sound is in memory once, and not at two rates, or whole and in parts.
    """

    def __init__(self, rate: int) -> None:
        self._rate, self._frames, self._filled = rate, 0, 0
        self._samples = np.empty(int(MAX_SECONDS * SAMPLE_RATE) + 1, dtype=np.float32)
        self._resampled: soxr.ResampleStream | None = None
        if rate != SAMPLE_RATE:
            self._resampled = soxr.ResampleStream(
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
        if self._resampled is not None:
            mono = self._resampled.resample_chunk(mono, last=last)
        room = self._samples[self._filled : self._filled + len(mono)]
        room[:] = mono[: len(room)]
        self._filled += len(room)
