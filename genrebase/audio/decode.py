"""Decode an audio file into samples, in blocks, with a hash of the decoded audio.

Needs the extra `audio` (soundfile, soxr). Every file is converted to mono at 44,100 Hz, so that
the features of different files can be compared; of a long file only the middle ten minutes are
used. The digest covers the whole decoded audio and does not depend on name, tags or path.

The decodable part of a damaged file is kept; remarks report what was lost or corrected.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from genrebase.audio import ffmpeg, mp3_frames, ogg_pages, wav_header
from genrebase.audio.downmix import ChannelStatistics, MixPlan
from genrebase.audio.file_suffixes import NEEDS_FFMPEG
from genrebase.counts import counted
from genrebase.errors import GenrebaseError

Samples = NDArray[np.float32]

SAMPLE_RATE: Final = 44_100
"""Samples per second of the decoded audio."""
MAX_SECONDS: Final = 600.0
"""Seconds used of a longer file, from its middle."""
MIN_SECONDS: Final = 1.0
"""Minimum duration in seconds; shorter files are refused."""
_BLOCK_SECONDS: Final = 10
"""Seconds decoded at once."""
_MAX_BLOCK_VALUES: Final = 1 << 25
"""Maximum values decoded at once: a header may give any rate and number of channels."""
_NOTICEABLE_SECONDS: Final = 0.5
"""Minimum gain in duration by which another decoding of a damaged file is preferred."""
_NO_FILE_CODE: Final = 7
"""libsndfile's code for a missing file; it also uses it for unknown formats."""
_FULL_SCALE: Final = float(np.iinfo(np.int16).max)
_MAX_NON_FINITE: Final = 0.5
"""Maximum share of samples that are NaN or infinite."""


class UndecodableAudio(GenrebaseError):
    """A file cannot be decoded, or is too short."""


class FfmpegMissing(UndecodableAudio):
    """The file's format needs ffmpeg, which is not installed."""


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
    remarks: tuple[str, ...] = ()
    """Clauses on what was lost or corrected."""


def decode_file(path: Path) -> AudioClip:
    """Decode a file: formats of libsndfile (wav, flac, ogg, mp3 …), others through ffmpeg.

    Raise `UndecodableAudio` with the reason, `FfmpegMissing` if only ffmpeg is missing.
    """
    if not path.is_file():
        raise UndecodableAudio(f"{path}: there is no such file.")
    if path.stat().st_size == 0:
        raise UndecodableAudio(f"{path}: the file is empty.")
    try:
        clip = _decode_natively(path)
    except soundfile.SoundFileError as error:
        clip = _decode_damaged_mp3(path) or _decode_otherwise(path, error)
    if clip.seconds < MIN_SECONDS:
        raise UndecodableAudio(
            f"{path}: {clip.seconds:.2f} s of audio; at least {MIN_SECONDS:g} s are needed."
        )
    return clip


def _decode_natively(path: Path) -> AudioClip:
    """Decode by libsndfile, and the audio behind the damage of a file by other means."""
    fix = wav_header.check_header(path)
    with _open(path, fix) as file:
        clip = _decode(path, file)
        declared = file.frames / file.samplerate
        is_mp3 = file.format in ("MP3", "MPEG")
    clip = replace(clip, remarks=(*fix.remarks, *ogg_pages.find_damage(path), *clip.remarks))
    if is_mp3:
        return _complete_mp3(path, clip)
    return (
        clip if declared - clip.seconds < _NOTICEABLE_SECONDS else _complete(path, clip, declared)
    )


@contextmanager
def _open(path: Path, fix: wav_header.HeaderFix) -> Iterator[soundfile.SoundFile]:
    with ExitStack() as opened:
        source: Any = os.fsencode(path)  # a name need not be UTF-8
        if fix.patches:
            source = opened.enter_context(wav_header.PatchedFile(path, fix.patches))
        yield opened.enter_context(soundfile.SoundFile(source))


def _complete(path: Path, clip: AudioClip, declared: float) -> AudioClip:
    """Return the clip that ffmpeg decodes, if it has more of the `declared` seconds."""
    with suppress(ffmpeg.FfmpegFailed, soundfile.SoundFileError):
        other = _decode_by_ffmpeg(path)
        if other.seconds - clip.seconds >= _NOTICEABLE_SECONDS:
            clip = other
    return _add_remark(clip, f"only {clip.seconds:.1f} of {declared:.1f} s could be decoded")


def _complete_mp3(path: Path, clip: AudioClip) -> AudioClip:
    stream = mp3_frames.find_frames(path)
    if stream is None:
        return clip
    if stream.holes:
        if stream.repaired_seconds - clip.seconds > _NOTICEABLE_SECONDS:
            repaired = _decode_repaired(path, stream)
            if repaired is not None and repaired.seconds > clip.seconds:
                clip = repaired
        lost = f"{sum(stream.holes):,} damaged or foreign bytes"
        places = counted(len(stream.holes), "place")
        clip = _add_remark(clip, f"{lost} in {places} were skipped")
    declared = stream.declared_seconds
    if declared is not None and declared - clip.seconds > _NOTICEABLE_SECONDS:
        what = "only" if stream.holes else "the file breaks off:"
        clip = _add_remark(clip, f"{what} {clip.seconds:.1f} of {declared:.1f} s could be decoded")
    return clip


def _decode_damaged_mp3(path: Path) -> AudioClip | None:
    """Decode an MP3 file that libsndfile aborts within the first block; None for other files."""
    stream = None if path.suffix.lower() in NEEDS_FFMPEG else mp3_frames.find_frames(path)
    clip = None if stream is None else _decode_repaired(path, stream)
    return None if clip is None else _complete_mp3(path, clip)


def _decode_repaired(path: Path, stream: mp3_frames.Mp3Stream) -> AudioClip | None:
    """Decode an MP3 file without its holes; None if that fails."""
    with TemporaryFile() as repaired:
        mp3_frames.write_frames(path, stream, repaired)
        repaired.seek(0)
        try:
            with soundfile.SoundFile(repaired) as file:
                return _decode(path, file)
        except soundfile.SoundFileError:
            return None


def _decode_otherwise(path: Path, error: soundfile.SoundFileError) -> AudioClip:
    """Decode by ffmpeg what libsndfile cannot; raise `UndecodableAudio`."""
    suffix = path.suffix.lower()
    needs_ffmpeg = suffix in NEEDS_FFMPEG
    if needs_ffmpeg and not ffmpeg.is_installed():
        raise FfmpegMissing(
            f"{path}: files of the kind {suffix} need ffmpeg, which is not installed."
        ) from error
    message = _libsndfile_message(error)
    try:
        return _decode_by_ffmpeg(path)
    except ffmpeg.FfmpegFailed as failure:
        if needs_ffmpeg:
            message = f" ({failure})"
    except soundfile.SoundFileError as other:
        if needs_ffmpeg:
            message = _libsndfile_message(other)
    raise UndecodableAudio(f"{path}: this is not audio that can be decoded{message}.") from error


def _decode_by_ffmpeg(path: Path) -> AudioClip:
    with TemporaryFile() as target:
        remarks = ffmpeg.decode_to(path, target)
        with soundfile.SoundFile(target) as file:
            clip = _decode(path, file)
    return replace(clip, remarks=(*remarks, *clip.remarks))


def _add_remark(clip: AudioClip, remark: str) -> AudioClip:
    return replace(clip, remarks=(*clip.remarks, remark))


def _libsndfile_message(error: soundfile.SoundFileError) -> str:
    """Return libsndfile's message, if it is about the file."""
    message = getattr(error, "error_string", "").rstrip(".")
    is_of_file = getattr(error, "code", _NO_FILE_CODE) != _NO_FILE_CODE
    return f" ({message})" if message and is_of_file else ""


@dataclass(slots=True)
class _Pass:
    """One pass over a file: the middle of its audio, and the faults."""

    file: soundfile.SoundFile
    first: int
    """First frame of the middle."""
    mono: "_MonoBuffer"
    statistics: ChannelStatistics
    frames: int = 0
    """Frames of the whole file."""
    non_finite: int = 0
    digest: str = ""
    plan: MixPlan = field(default_factory=MixPlan)

    def run(self) -> None:
        """Read the whole file."""
        rate = int(self.file.samplerate)
        max_frames = int(MAX_SECONDS * rate)
        digest = hashlib.sha256(f"{rate} {self.file.channels} ".encode())
        for block in _blocks(self.file):
            clipped = np.clip(np.nan_to_num(block, nan=0.0), -1.0, 1.0) * _FULL_SCALE
            digest.update(np.round(clipped).astype("<i2").tobytes())
            start, end = self.first - self.frames, self.first + max_frames - self.frames
            self._add(block[max(0, start) : max(0, end)])
            self.frames += len(block)
        self.digest = digest.hexdigest()

    def _add(self, block: Samples) -> None:
        if len(block) == 0:
            return
        finite = np.isfinite(block)
        if not finite.all():
            self.non_finite += int((~finite).sum())
            block = np.where(finite, block, np.float32(0.0))
        position = self.statistics.position
        self.statistics.add(block)
        self.mono.add(self.plan.mix(block, position))


def _decode(path: Path, file: soundfile.SoundFile) -> AudioClip:
    """Return an open file's audio.

    The length is counted, not taken from the header: the file may be truncated. A second pass
    follows if the middle is elsewhere, or the plain mean of the channels is wrong.
    """
    rate = int(file.samplerate)
    if not wav_header.MIN_RATE <= rate <= wav_header.MAX_RATE:
        raise UndecodableAudio(
            f"{path}: its header gives a sample rate of {rate:,} Hz, which no recording has: "
            "correct the header."
        )
    done = _read(file, file.frames)
    is_long = max(done.frames, file.frames) > MAX_SECONDS * rate
    if is_long and done.frames != file.frames:  # the header was wrong: the middle lies elsewhere
        done = _read(file, done.frames)
    plan = done.statistics.plan()
    if not plan.is_plain:
        done = _read(file, done.frames, plan)
    remarks = plan.remarks
    if done.non_finite:
        share = done.non_finite / (done.statistics.position * file.channels)
        if share > _MAX_NON_FINITE:
            raise UndecodableAudio(f"{path}: {share:.0%} of the samples are infinite or NaN.")
        remarks = (*remarks, f"{done.non_finite:,} infinite or NaN samples became silence")
    return AudioClip(done.mono.samples(), done.frames / rate, rate, done.digest, remarks)


def _read(file: soundfile.SoundFile, frames: int, plan: MixPlan | None = None) -> _Pass:
    """Read a file from its start; its middle is that of `frames` frames."""
    if file.tell() != 0:
        file.seek(0)
    rate = int(file.samplerate)
    first = max(0, (frames - int(MAX_SECONDS * rate)) // 2)
    done = _Pass(file, first, _MonoBuffer(rate), ChannelStatistics(rate), plan=plan or MixPlan())
    done.run()
    return done


def _blocks(file: soundfile.SoundFile) -> Iterator[Samples]:
    """Yield the audio in blocks (samples, channels); each overwrites the block before.

    A truncated file ends where reading fails.
    """
    size = min(_BLOCK_SECONDS * int(file.samplerate), _MAX_BLOCK_VALUES // file.channels)
    buffer = np.empty((size, file.channels), dtype=np.float32)
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
    """Collects blocks of mono audio, each converted to `SAMPLE_RATE` at once.

    So long audio is in memory only once: not at two rates, and not both whole and in blocks.
    """

    def __init__(self, rate: int) -> None:
        self._rate, self._frames, self._filled = rate, 0, 0
        self._samples = np.empty(int(MAX_SECONDS * SAMPLE_RATE) + 1, dtype=np.float32)
        self._resampler: soxr.ResampleStream | None = None
        if rate != SAMPLE_RATE:
            self._resampler = soxr.ResampleStream(
                rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ"
            )

    def add(self, mono: Samples) -> None:
        self._frames += len(mono)
        self._put(mono, last=False)

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
