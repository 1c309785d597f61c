"""Find the frames of an MP3 file, and skip the damaged bytes between them.

A decoder aborts at a hole of more than about a kilobyte, and the rest of the file is lost. Here
the stream continues at the next frame. The frames before a hole are repeated in its place, because
silence or a cut would change the rhythm.
"""

import mmap
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import IO, Final

_BITRATES: Final = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""kbit/s by (version, layer) and index from 1; version 2 stands for 2 and 2.5."""
_RATES: Final = {
    3: (44_100, 48_000, 32_000),
    2: (22_050, 24_000, 16_000),
    0: (11_025, 12_000, 8_000),
}
"""Hz by the bits of the version: 3 is 1, 2 is 2, 0 is 2.5."""
_LAYERS: Final = {3: 1, 2: 2, 1: 3}
_MAX_REPEATED_FRAMES: Final = 80
"""Maximum frames repeated for one hole: 2 s at 44,100 Hz. Longer holes shorten the audio."""
_FRAMES_TO_SYNC: Final = 3
"""Minimum of successive frames by which the first one is recognised."""
_TAG_MARKS: Final = (b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"ID3")
"""The first bytes of tags."""


@dataclass(frozen=True, slots=True)
class _Header:
    kind: tuple[int, int, int]
    """Version, layer and rate, which are constant in a file."""
    size: int
    """Length of the frame in bytes."""
    rate: int
    samples: int


@dataclass(frozen=True, slots=True)
class Mp3Stream:
    """The frames of a file."""

    runs: tuple[tuple[int, int], ...]
    """First and last byte (exclusive) of the runs of successive frames."""
    frames: int
    seconds: float
    """Duration of the frames present."""
    declared_seconds: float | None
    """Duration according to the first frame (Xing or Info), which counts the others; None if it
    has none."""

    @property
    def holes(self) -> tuple[int, ...]:
        """The bytes of each hole between two runs."""
        ends, starts = self.runs[:-1], self.runs[1:]
        return tuple(start - end for (_, end), (start, _) in zip(ends, starts, strict=True))

    @property
    def repaired_seconds(self) -> float:
        """Duration of the frames present and of those that are repeated for lost ones."""
        return self.seconds * (1 + sum(self.lost_frames) / self.frames)

    @property
    def lost_frames(self) -> list[int]:
        """The number of frames to repeat for each hole: an estimate of the lost frames."""
        holes = self.holes
        if self.declared_seconds is not None:
            lost = round((self.declared_seconds - self.seconds) * self.frames / self.seconds) + 1
            lost = min(max(lost, 0), _MAX_REPEATED_FRAMES * len(holes))
            ends = [round(lost * part / sum(holes)) for part in accumulate(holes)]
            return [end - start for start, end in pairwise([0, *ends])]
        size = sum(end - start for start, end in self.runs) / max(1, self.frames)
        return [min(round(hole / size), _MAX_REPEATED_FRAMES) for hole in holes]


def find_frames(path: Path) -> Mp3Stream | None:
    """Return the frames of a file, None if it has none."""
    runs: list[tuple[int, int]] = []
    frames = samples = 0
    rate = 1
    declared: float | None = None
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for start, end, header, count in _runs(data):
            if not runs:
                rate = header.rate
                declared = _declared_seconds(data[start : start + header.size], header)
            frames += count
            samples += count * header.samples
            runs.append((start, end))
    return Mp3Stream(tuple(runs), frames, samples / rate, declared) if runs else None


def write_frames(path: Path, stream: Mp3Stream, target: IO[bytes]) -> None:
    """Write the frames without the holes, in whose places the frames before them are repeated."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for lost, (start, end) in zip([*stream.lost_frames, 0], stream.runs, strict=True):
            target.write(data[start:end])
            if lost:
                target.write(data[_last_frames(data, start, end, lost) : end])
    target.flush()


def _last_frames(data: mmap.mmap, start: int, end: int, count: int) -> int:
    """Return the positions of the last `count` frames of a run, without its first."""
    starts: deque[int] = deque([end], maxlen=count)
    while (header := _header(data, start)) is not None and start < end:
        start += header.size
        if start < end:
            starts.append(start)
    return min(starts)


def _runs(data: mmap.mmap) -> Iterator[tuple[int, int, _Header, int]]:
    """Yield start, end, first header and number of frames of each run."""
    position = _after_tag(data, 0)
    kind: tuple[int, int, int] | None = None
    while (start := _next_frame(data, position, kind)) is not None:
        first = _header(data, start)
        assert first is not None  # noqa: S101 - `_next_frame` returns frames
        kind, at, count = first.kind, start, 0
        while (header := _header(data, at)) is not None and header.kind == kind:
            following = at + header.size
            if following > len(data) or not _may_follow(data, following, kind):
                break
            at, count = following, count + 1
        yield start, at, first, count
        position = _after_tag(data, at) if data[at : at + 3] == b"ID3" else at + 1


def _may_follow(data: mmap.mmap, position: int, kind: tuple[int, int, int]) -> bool:
    """Return whether a frame, a tag or the end of the file is here."""
    header = _header(data, position)
    if header is not None:
        return header.kind == kind
    rest = data[position : position + 16]
    return len(rest) < 4 or rest.startswith(_TAG_MARKS) or not rest.strip(b"\0")


def _next_frame(data: mmap.mmap, position: int, kind: tuple[int, int, int] | None) -> int | None:
    """Return the start of the next run of frames."""
    while (position := data.find(b"\xff", position)) >= 0:
        at = position
        for _ in range(_FRAMES_TO_SYNC):
            header = _header(data, at)
            if header is None or (kind is not None and header.kind != kind):
                break
            at += header.size
        else:
            return position
        position += 1
    return None


def _after_tag(data: mmap.mmap, position: int) -> int:
    """Return the end of an ID3 tag that begins at `position`."""
    head = data[position : position + 10]
    if head[:3] != b"ID3" or len(head) < 10:
        return position
    size = sum(
        (byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True)
    )
    return position + 10 + size


def _header(data: mmap.mmap, position: int) -> _Header | None:
    """Return the frame header at a position, None if there is none."""
    four = data[position : position + 4]
    if len(four) < 4 or four[0] != 0xFF or four[1] & 0xE0 != 0xE0:
        return None
    version, layer = four[1] >> 3 & 3, _LAYERS.get(four[1] >> 1 & 3)
    bitrate, rate_index = four[2] >> 4, four[2] >> 2 & 3
    if version == 1 or layer is None or bitrate in (0, 15) or rate_index == 3:
        return None
    rate = _RATES[version][rate_index]
    kbits = _BITRATES[1 if version == 3 else 2, layer][bitrate - 1]
    padding = four[2] >> 1 & 1
    if layer == 1:
        return _Header((version, layer, rate), (12_000 * kbits // rate + padding) * 4, rate, 384)
    samples = 576 if layer == 3 and version != 3 else 1_152
    size = samples // 8 * 1_000 * kbits // rate + padding
    return _Header((version, layer, rate), size, rate, samples)


def _declared_seconds(frame: bytes, header: _Header) -> float | None:
    """Return the duration that a Xing or Info frame declares."""
    for mark in (b"Xing", b"Info"):
        at = frame.find(mark, 4, 48)
        if at >= 0 and frame[at + 7] & 1:
            return int.from_bytes(frame[at + 8 : at + 12], "big") * header.samples / header.rate
    return None
