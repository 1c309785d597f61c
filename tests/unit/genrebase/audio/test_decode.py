"""Decoding keeps what can be decoded, and remarks report what was lost or corrected."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from genrebase.audio import decode, ffmpeg, rhythm
from genrebase.audio.decode import SAMPLE_RATE
from tests import synthetic_audio

SONG = synthetic_audio.song(9, 1, seconds=6.0)
NEEDS_FFMPEG = pytest.mark.skipif(not ffmpeg.is_installed(), reason="ffmpeg decodes these")


def write_wav(path: Path, samples: np.ndarray = SONG, rate: int = SAMPLE_RATE) -> bytearray:
    """Write a file and return its bytes."""
    synthetic_audio.write(path, samples, rate=rate)
    return bytearray(path.read_bytes())


@pytest.fixture
def no_ffmpeg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A search path without programs."""
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_wav_without_a_size_is_read_to_its_end(tmp_path: Path, size: int) -> None:
    """A recorder that could not go back wrote 0 or FFFFFFFF."""
    path = tmp_path / "a.wav"
    content = write_wav(path)
    whole = decode.decode_file(path)
    data = content.index(b"data")
    content[data + 4 : data + 8] = struct.pack("<I", size)
    content[4:8] = struct.pack("<I", size)
    path.write_bytes(content)
    clip = decode.decode_file(path)
    assert (clip.seconds, clip.digest) == (6.0, whole.digest)
    assert clip.remarks == ("the header gives no size: read to the end of the file",)
    assert whole.remarks == ()


@pytest.mark.parametrize(
    ("kind", "options", "mark", "shift", "size"),
    [
        ("rf64", {"format": "RF64"}, b"ds64", 16, 8),
        ("wav", {"subtype": "FLOAT"}, b"data", 4, 4),
        ("wav", {"subtype": "ULAW"}, b"data", 4, 4),
        ("au", {}, b".snd", 8, 4),
    ],
)
def test_other_headers_without_a_size_too(
    tmp_path: Path, kind: str, options: dict[str, str], mark: bytes, shift: int, size: int
) -> None:
    """RF64, other sample formats, AU; the remark is the same."""
    path = synthetic_audio.write(tmp_path / f"a.{kind}", SONG, **options)
    whole = decode.decode_file(path)
    content = bytearray(path.read_bytes())
    at = content.index(mark) + shift
    content[at : at + size] = bytes(size)
    path.write_bytes(content)
    clip = decode.decode_file(path)
    assert (clip.seconds, clip.digest) == (6.0, whole.digest)
    assert clip.remarks == ("the header gives no size: read to the end of the file",)
    assert whole.remarks == ()


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_an_aiff_without_a_size_is_whole(tmp_path: Path, size: int) -> None:
    """Its header has the number of frames, too."""
    path = synthetic_audio.write(tmp_path / "a.aiff", SONG)
    content = bytearray(path.read_bytes())
    content[4:8] = struct.pack(">I", size)
    path.write_bytes(content)
    assert decode.decode_file(path).seconds == 6.0
    assert decode.decode_file(path).remarks == ()


def test_a_wav_whose_size_is_too_small_is_read_to_its_end(tmp_path: Path) -> None:
    """A recorder that died wrote the size once, early."""
    path = tmp_path / "a.wav"
    content = write_wav(path)
    data = content.index(b"data")
    content[data + 4 : data + 8] = struct.pack("<I", 1_000)
    path.write_bytes(content)
    clip = decode.decode_file(path)
    assert clip.seconds == 6.0
    assert "too small a size" in clip.remarks[0]


def test_a_wav_without_audio_is_not_read_beyond(tmp_path: Path) -> None:
    """A chunk after empty audio is no audio."""
    path = tmp_path / "a.wav"
    content = write_wav(path)
    data = content.index(b"data")
    content[data + 4 : data + 8] = bytes(4)
    content[data + 8 : data + 16] = b"LIST" + struct.pack("<I", len(content) - data - 16)
    path.write_bytes(content)
    with pytest.raises(decode.UndecodableAudio, match=r"0\.00 s of audio"):
        decode.decode_file(path)


@pytest.mark.parametrize(("kind", "remark"), [
    ("wav", "the file breaks off: 3.0 of 6.0 s"),
    ("aiff", "the file breaks off: 264,627 of 529,254 bytes"),
    ("flac", "only 3.0 of 6.0 s could be decoded"),
    ("mp3", "the file breaks off: 2.9 of 6.0 s could be decoded"),
    ("ogg", "the file breaks off: the last page of the Ogg stream is missing"),
])  # fmt: skip
def test_a_truncated_file_has_a_remark(tmp_path: Path, kind: str, remark: str) -> None:
    """With the duration that was kept, where the header has the whole."""
    noise = np.random.default_rng(0).normal(0, 0.1, 6 * SAMPLE_RATE).astype(np.float32)
    path = synthetic_audio.write(tmp_path / f"a.{kind}", noise)
    assert decode.decode_file(path).remarks == ()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    clip = decode.decode_file(path)
    assert 2.0 < clip.seconds < 3.2
    assert clip.remarks == (remark,)


@pytest.mark.parametrize("junk", [b"\x55" * 3_000, bytes(9_000), b"\xff\xfb" * 2_500])
@pytest.mark.parametrize("holes", [1, 3])
def test_an_mp3_is_decoded_behind_a_hole(tmp_path: Path, junk: bytes, holes: int) -> None:
    """The decoder gives up there; the frames before are repeated for those that are lost."""
    sound = np.tile(SONG, 5)
    path = synthetic_audio.write(tmp_path / "a.mp3", sound)
    whole = decode.decode_file(path)
    content = bytearray(path.read_bytes())
    for number in range(1, holes + 1):
        at = len(content) * number // (holes + 1)
        content[at : at + len(junk)] = junk
    path.write_bytes(content)
    clip = decode.decode_file(path)
    assert whole.seconds == 30.0
    assert clip.seconds == pytest.approx(30.0, abs=0.1)
    (remark,) = clip.remarks
    assert remark.endswith(f"in {holes} place{'s' * (holes > 1)} were skipped")
    assert rhythm.danceability(clip.samples) == pytest.approx(
        rhythm.danceability(whole.samples), abs=0.15
    )
    last = slice(-2 * SAMPLE_RATE, -SAMPLE_RATE)
    assert np.corrcoef(clip.samples[last], whole.samples[last])[0, 1] > 0.99


def test_a_hole_in_an_ogg_file_has_a_remark(tmp_path: Path) -> None:
    """The decoder drops damaged pages silently."""
    path = synthetic_audio.write(tmp_path / "a.ogg", np.tile(SONG, 5))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3_000] = b"\x55" * 3_000
    path.write_bytes(content)
    clip = decode.decode_file(path)
    assert clip.seconds == pytest.approx(30.0, abs=1.0)
    assert "of the Ogg stream were skipped" in clip.remarks[0]


def test_a_wrong_rate_is_corrected_by_the_bytes_per_second(tmp_path: Path) -> None:
    """Without them the file is refused: its tempo and key depend on the rate."""
    path = tmp_path / "a.wav"
    content = write_wav(path)
    for rate in (0, 1, 10_000_000):
        content[24:28] = struct.pack("<I", rate)
        path.write_bytes(content)
        clip = decode.decode_file(path)
        assert (clip.seconds, clip.sample_rate) == (6.0, SAMPLE_RATE)
        assert f"a sample rate of {rate:,} Hz" in clip.remarks[0]
    content[28:32] = struct.pack("<I", 20_000_000)
    path.write_bytes(content)
    with pytest.raises(decode.UndecodableAudio, match=r"sample rate of 10,000,000 Hz"):
        decode.decode_file(path)


@pytest.mark.parametrize("rate", [1, 500, 10_000_000])
def test_absurd_rates_are_refused(tmp_path: Path, rate: int) -> None:
    """No recording has them."""
    path = tmp_path / "a.wav"
    write_wav(path, np.zeros(100_000, np.float32), rate)
    with pytest.raises(decode.UndecodableAudio, match=f"sample rate of {rate:,} Hz"):
        decode.decode_file(path)


def test_zero_channels_are_corrected_by_the_frame_size(tmp_path: Path) -> None:
    """Or the file is refused."""
    path = tmp_path / "a.wav"
    content = write_wav(path, np.stack([SONG, SONG], axis=1))
    content[22:24] = bytes(2)
    path.write_bytes(content)
    clip = decode.decode_file(path)
    assert (clip.seconds, clip.remarks) == (
        6.0,
        ("the header has no channels: its frame size gives 2",),
    )
    content[32:34] = bytes(2)
    path.write_bytes(content)
    with pytest.raises(decode.UndecodableAudio, match="not audio that can be decoded"):
        decode.decode_file(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_non_finite_samples_become_silence(tmp_path: Path, value: float) -> None:
    """A file of floating point may hold NaN or infinity; one of nothing else is refused."""
    path = tmp_path / "a.wav"
    sound = SONG.copy()
    sound[700:703] = value
    soundfile.write(path, sound, SAMPLE_RATE, subtype="FLOAT")
    clip = decode.decode_file(path)
    assert clip.remarks == ("3 infinite or NaN samples became silence",)
    assert not clip.samples[700:703].any()
    np.testing.assert_array_equal(clip.samples[703:], SONG[703:])
    soundfile.write(path, np.full(SAMPLE_RATE * 2, value), SAMPLE_RATE, subtype="FLOAT")
    with pytest.raises(decode.UndecodableAudio, match="100% of the samples are infinite or NaN"):
        decode.decode_file(path)


def test_a_name_that_is_not_utf8_is_no_obstacle(tmp_path: Path) -> None:
    """Its audio is that of any other file."""
    path = tmp_path / "plain.wav"
    write_wav(path)
    odd = path.rename(tmp_path / b"lat\xe9.wav".decode(errors="surrogateescape"))
    assert decode.decode_file(odd).seconds == 6.0


FAKE = """#!/bin/sh
case "$*" in
  *good*) cat "{wav}";;
  *slow*) exec sleep 600;;
  *) echo "{{file}}: Invalid data found when processing input." >&2; exit 1;;
esac
"""


@pytest.fixture
def fake_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that decodes some files."""
    write_wav(tmp_path / "decoded.wav")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "ffmpeg"
    program.write_text(FAKE.format(wav=tmp_path / "decoded.wav"))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return tmp_path


def test_other_kinds_are_decoded_by_ffmpeg(fake_ffmpeg: Path) -> None:
    """Its output is read like a WAV file; its message is the reason of a failure."""
    good, bad = fake_ffmpeg / "good.m4a", fake_ffmpeg / "bad.m4a"
    for path in (good, bad):
        path.write_bytes(b"\0\0\0\x20ftypM4A ")
    clip = decode.decode_file(good)
    assert clip.digest == decode.decode_file(fake_ffmpeg / "decoded.wav").digest
    with pytest.raises(decode.UndecodableAudio, match=r"\(.*Invalid data found .* input\)\.$"):
        decode.decode_file(bad)


def test_ffmpeg_is_bounded_in_time(fake_ffmpeg: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file on which it hangs is refused."""
    monkeypatch.setattr(ffmpeg, "_SECONDS", 0.05)
    (fake_ffmpeg / "slow.wma").write_bytes(b"xyz")
    with pytest.raises(decode.UndecodableAudio, match="ffmpeg took more than 0 s"):
        decode.decode_file(fake_ffmpeg / "slow.wma")


@pytest.mark.usefixtures("no_ffmpeg")
def test_without_ffmpeg_its_kinds_are_passed_over(tmp_path: Path) -> None:
    """Unless the content is of another kind than the name; other kinds keep their reason."""
    path = tmp_path / "a.webm"
    path.write_bytes(b"\x1a\x45\xdf\xa3 something")
    with pytest.raises(decode.FfmpegMissing, match=r"files of the kind \.webm need ffmpeg"):
        decode.decode_file(path)
    synthetic_audio.write(tmp_path / "a.ogg", SONG).rename(path)
    assert decode.decode_file(path).seconds == 6.0
    (tmp_path / "b.mpga").write_bytes(b"no audio" * 300)
    with pytest.raises(decode.UndecodableAudio) as refusal:
        decode.decode_file(tmp_path / "b.mpga")
    assert not isinstance(refusal.value, decode.FfmpegMissing)


@NEEDS_FFMPEG
@pytest.mark.parametrize("kind", ["m4a", "mka", "wma", "ac3", "aac", "wv"])
def test_real_ffmpeg_decodes(tmp_path: Path, kind: str) -> None:
    """The kinds that people have."""
    write_wav(tmp_path / "a.wav")
    path = tmp_path / f"a.{kind}"
    with path.open("wb") as target:
        ffmpeg._run(tmp_path / "a.wav", ("-y", str(path)), target)
    clip = decode.decode_file(path)
    assert clip.seconds == pytest.approx(6.0, abs=0.2)
    assert clip.remarks == ()
