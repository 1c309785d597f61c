"""The formats of audio files, by their suffixes."""

from typing import Final

_NATIVE: Final = (
    "aif aifc aiff au caf flac mp1 mp2 mp3 mpa mpga nist oga ogg opus rf64 snd sph voc w64 wav "
    "wave"
)
_FFMPEG: Final = (
    "3g2 3ga 3gp aa3 aac ac3 adts amr ape asf awb dff dsf dts eac3 ec3 m4a m4b m4p m4r mka mkv "
    "mlp mov mp4 mpc oma ra rm shn spx tak thd tta weba webm wma wv"
)


def _suffixes(kinds: str) -> frozenset[str]:
    return frozenset(f".{kind}" for kind in kinds.split())


NEEDS_FFMPEG: Final = _suffixes(_FFMPEG)
"""Suffixes of files that ffmpeg decodes, unless their content has another format."""
SUFFIXES: Final = _suffixes(_NATIVE) | NEEDS_FFMPEG
"""Suffixes of audio files; a file that cannot be decoded is reported, not skipped silently."""
