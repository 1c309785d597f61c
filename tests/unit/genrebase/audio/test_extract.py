"""Feature extraction from audio files."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from scipy import stats
from sklearn.cluster import AgglomerativeClustering

from genrebase.audio import (
    decode,
    descriptors,
    extract,
    frame_features,
    keys,
    logmel,
    loudness,
    rhythm,
)
from genrebase.audio.packed_matrices import unpack
from tests import synthetic_audio


@pytest.fixture(scope="module")
def song() -> synthetic_audio.Samples:
    return synthetic_audio.song(2, 0, bpm=100, seconds=8.0)


@pytest.fixture(scope="module")
def seen(song: synthetic_audio.Samples) -> frame_features.FrameFeatures:
    return frame_features.compute_frames(song)


def test_long_audio_is_analysed_in_parts(song: synthetic_audio.Samples) -> None:
    """Statistics of a minute are those of its halves, but for the edges."""
    part = np.tile(song, 4)
    long = frame_features.compute_frames(np.tile(song, 8))
    short = frame_features.compute_frames(part)
    one, two = (result.fma["mfcc"].mean(axis=1) for result in (long, short))
    assert one == pytest.approx(two, abs=2.0)
    assert long.mel.shape[1] == pytest.approx(2 * short.mel.shape[1], abs=4)


def test_statistics_are_scipy_s() -> None:
    """Skew and kurtosis equal scipy's; for a constant they are missing."""
    rows = np.random.default_rng(1).gamma(2.0, size=(3, 500)).astype(np.float32)
    kurtosis, *_, skew, _deviation = descriptors._statistics(rows)
    np.testing.assert_allclose(kurtosis, stats.kurtosis(rows.astype(float), axis=1), rtol=1e-12)
    np.testing.assert_allclose(skew, stats.skew(rows.astype(float), axis=1), rtol=1e-12)
    constant = descriptors._statistics(np.full((1, 500), 0.1, np.float32))[:, 0]
    assert np.isnan(constant[[0, 5]]).all()
    assert constant[[1, 2, 3, 4]] == pytest.approx(0.1)


def test_descriptors_have_their_names(seen: frame_features.FrameFeatures) -> None:
    """518 of the classic set first; every column has its statistic's value."""
    onsets = rhythm.onset_strength(seen.mel)
    values = descriptors.compute_descriptors(seen, onsets, 100.0)
    assert len(descriptors.FMA_COLUMNS) == 518
    assert len(values) == len(descriptors.COLUMNS) == len(set(descriptors.COLUMNS))
    reported = dict(zip(descriptors.COLUMNS, values.tolist(), strict=True))
    assert reported["tempo"] == 100.0
    assert reported["mfcc_mean_03"] == pytest.approx(seen.fma["mfcc"][2].mean(), rel=1e-4)
    assert reported["zcr_max_01"] == pytest.approx(seen.fma["zcr"].max())


@pytest.mark.parametrize("bpm", [75, 100, 120, 150])
def test_a_beat_has_its_tempo(bpm: int) -> None:
    """Within two percent."""
    onsets = rhythm.onset_strength(
        frame_features.compute_frames(synthetic_audio.clicks(bpm, 12.0)).mel
    )
    assert rhythm.estimate_tempo(onsets) == pytest.approx(bpm, rel=0.02)


@pytest.mark.parametrize(("key", "mode"), [(0, 1), (7, 1), (9, 0), (2, 0)])
def test_chords_have_their_key(key: int, mode: int) -> None:
    """The key of a cadence is estimated correctly."""
    detected = keys.estimate_key(
        frame_features.compute_frames(synthetic_audio.song(key, mode, seconds=8.0)).fma[
            "chroma_cqt"
        ]
    )
    assert detected is not None
    assert detected[:2] == (key, mode)


def test_a_change_of_key_is_a_section() -> None:
    """Sections start at key changes and have their distance from the tonic."""
    sound = np.concatenate(
        [synthetic_audio.song(0, 1, seconds=16.0), synthetic_audio.song(7, 1, seconds=16.0)]
    )
    detected = keys.detect_sections(frame_features.compute_frames(sound))
    assert [one.key for one in detected] == [0, 7]
    assert detected[1].start == pytest.approx(16.0, abs=2.0)


def test_loudness_is_that_of_the_standard() -> None:
    """A full-scale sine of 997 Hz has -3.01 LUFS; half as high, 6.02 less; silence none."""
    at = np.arange(5 * decode.SAMPLE_RATE) / decode.SAMPLE_RATE
    sine = np.sin(2 * np.pi * 997 * at).astype(np.float32)
    assert loudness.integrated_loudness(sine) == pytest.approx(-3.01, abs=0.05)
    assert loudness.integrated_loudness(sine / 2) == pytest.approx(-9.03, abs=0.05)
    assert loudness.integrated_loudness(sine * 0) is None


def test_the_spectrum_is_small_and_in_decibels(seen: frame_features.FrameFeatures) -> None:
    """64 bands, 46 ms a step, 0 at the loudest."""
    matrix = logmel.pack_logmel(seen.mel)
    values = unpack(matrix.data, matrix.steps, matrix.channels)
    assert values.shape == (seen.mel.shape[1] // 4, 64)
    assert (values.max(), values.min() >= -logmel.TOP_DB) == (0.0, True)
    assert len(logmel.pack_logmel(np.tile(seen.mel, 8)).data) < 100_000


def test_extraction_gives_every_feature(tmp_path: Path, song: synthetic_audio.Samples) -> None:
    """Estimates are in range; a copy in another place and format gives the same result."""
    path = synthetic_audio.write(tmp_path / "a.wav", song)
    clip = decode.decode_file(path)
    extracted = extract.extract_clip(clip)
    assert clip.seconds == pytest.approx(8.0)
    assert (extracted.estimates["key"], extracted.estimates["mode"]) == (2, 0)
    for name in ("energy", "acousticness"):
        value = extracted.estimates[name]
        assert value is not None
        assert 0 <= value <= 1
    copied, rate = soundfile.read(path, dtype="int16")
    again = decode.decode_file(
        synthetic_audio.write(tmp_path / "ein Lied (ä).flac", copied, rate=rate)
    )
    assert again.digest == clip.digest
    assert extract.extract_clip(again).descriptors == extracted.descriptors


def test_silence_has_no_estimates(tmp_path: Path) -> None:
    """Nothing is estimated and nothing fails."""
    silence = synthetic_audio.write(tmp_path / "a.wav", np.zeros(3 * 44_100, np.float32))
    extracted = extract.extract_clip(decode.decode_file(silence))
    assert set(extracted.estimates.values()) == {None}


def test_any_rate_and_channels_are_understood(tmp_path: Path) -> None:
    """8 kHz mono, 48 kHz stereo: looked at as mono at one rate."""
    low = decode.decode_file(
        synthetic_audio.write(
            tmp_path / "a.wav", synthetic_audio.tone(0, 2.0, rate=8_000), rate=8_000
        )
    )
    assert (low.sample_rate, len(low.samples)) == (8_000, 2 * decode.SAMPLE_RATE)
    both = np.stack([synthetic_audio.tone(0, 2.0, rate=48_000)] * 2, axis=1)
    assert (
        decode.decode_file(
            synthetic_audio.write(tmp_path / "b.wav", both, rate=48_000)
        ).samples.ndim
        == 1
    )


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_099, 48_000])
def test_parts_brought_to_one_rate_make_the_whole(tmp_path: Path, rate: int) -> None:
    """Decoded some seconds at a time, a sound is what librosa makes of it at once."""
    noise = np.random.default_rng(rate).uniform(-0.5, 0.5, rate * 21 + 7)
    path = synthetic_audio.write(tmp_path / "a.wav", noise.astype(np.float32), rate=rate)
    decoded, _ = soundfile.read(path, dtype="float32")
    expected = librosa.resample(decoded, orig_sr=rate, target_sr=decode.SAMPLE_RATE)
    np.testing.assert_array_equal(decode.decode_file(path).samples, expected)


def test_onsets_are_librosa_s(seen: frame_features.FrameFeatures) -> None:
    """Computed some frames at a time, to the same strength."""
    mel = np.tile(seen.mel, 4)
    theirs = librosa.onset.onset_strength(S=librosa.power_to_db(mel), sr=decode.SAMPLE_RATE)
    np.testing.assert_allclose(rhythm.onset_strength(mel), theirs, rtol=1e-5, atol=1e-5)


STRENGTHS = (
    *("60 bpm", "97 bpm", "200 bpm", "song", "noise", "flat", "drawn", "negative"),
    *("1 frame", "2 frames", "3 frames", "9 frames", "20 frames", "zeros", "constant"),
)


@cache
def strengths() -> dict[str, np.ndarray]:
    """Return onset strengths of beats, music, noise, constants, and near silence."""
    random = np.random.default_rng(5)
    flat = np.repeat(random.random(300), random.integers(1, 6, 300)).astype(np.float32)
    beats = [synthetic_audio.clicks(bpm, 6.0) for bpm in (60.0, 97.0, 200.0)]
    sounds = [*beats, synthetic_audio.song(3, 1, seconds=6.0), random.normal(size=200_000) * 0.1]
    extracted = [
        rhythm.onset_strength(frame_features.compute_frames(one.astype(np.float32)).mel)
        for one in sounds
    ]
    drawn = random.random(4_000).astype(np.float32)
    few = [drawn[:size] for size in (1, 2, 3, 9, 20)]
    made = [
        *extracted,
        flat,
        drawn,
        -drawn,
        *few,
        np.zeros(50, np.float32),
        np.full(9, np.float32(2)),
    ]
    return dict(zip(STRENGTHS, made, strict=True))


@pytest.mark.parametrize("name", STRENGTHS)
def test_onset_frames_equal_librosa_s(name: str) -> None:
    """All inputs give the same frames."""
    strength = strengths()[name]
    theirs = librosa.onset.onset_detect(
        onset_envelope=strength, sr=decode.SAMPLE_RATE, hop_length=frame_features.HOP_LENGTH
    )
    assert rhythm.detect_onsets(strength).tolist() == theirs.tolist()


def test_of_no_frame_nothing_begins() -> None:
    """Nor where a strength is no number."""
    assert rhythm.detect_onsets(np.zeros(0, np.float32)).tolist() == []
    assert rhythm.detect_onsets(np.array([0.0, np.nan, 1.0], np.float32)).tolist() == []


WITHOUT = """
import sys
from pathlib import Path
import librosa
from numba.np.ufunc.gufunc import GUFunc
def refuse(function, *_more):
    raise SystemExit(f"{function.__name__} was called")
GUFunc.__call__ = refuse
from genrebase.audio import decode, descriptors, extract, packed_vectors
packed = extract.extract_clip(decode.decode_file(Path(sys.argv[1]))).descriptors
print(len(packed_vectors.unpack(packed, len(descriptors.COLUMNS))))
"""


def test_caches_shared_by_processes_are_not_used(tmp_path: Path) -> None:
    """Of functions that are kept in two files, two processes may leave such as do not fit."""
    sound = tmp_path / "a.wav"
    soundfile.write(sound, synthetic_audio.song(0, 1, seconds=5.0), decode.SAMPLE_RATE)
    completed = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(sound)], capture_output=True, text=True, check=False
    )
    assert completed.stderr == ""
    assert int(completed.stdout) == len(descriptors.COLUMNS)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.mp3", b"", "empty"),
        ("b.mp3", b"this is a letter, not a song\n" * 50, "not audio that can be decoded"),
        ("c.wav", b"RIFF\x00\x00\x00\x00WAVE", "not audio that can be decoded"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    """The message names the file."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(decode.UndecodableAudio, match=f"{name}: .*{reason}"):
        decode.decode_file(path)


def test_a_short_file_is_refused(tmp_path: Path) -> None:
    """A clip of less than a second is refused."""
    path = synthetic_audio.write(tmp_path / "a.wav", synthetic_audio.tone(0, 0.4))
    with pytest.raises(decode.UndecodableAudio, match=r"0\.40 s of audio"):
        decode.decode_file(path)


def test_a_truncated_long_file_is_analysed_in_its_middle(tmp_path: Path) -> None:
    """The middle is that of the samples present, not of the length in the header."""
    rate, seconds = 4_000, 900
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, rate * seconds).astype(np.float32)
    path = synthetic_audio.write(tmp_path / "a.flac", noise, rate=rate)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 8 // 10])
    clip = decode.decode_file(path)
    assert clip.seconds == pytest.approx(720.0, abs=5.0)
    assert len(clip.samples) == int(decode.MAX_SECONDS * decode.SAMPLE_RATE)
    first = round((clip.seconds - decode.MAX_SECONDS) / 2 * rate)
    expected = soundfile.read(path, start=first, frames=10 * rate, dtype="float32")[0]
    analysed = librosa.resample(expected, orig_sr=rate, target_sr=decode.SAMPLE_RATE)
    np.testing.assert_allclose(
        clip.samples[: 5 * decode.SAMPLE_RATE], analysed[: 5 * decode.SAMPLE_RATE], atol=1e-3
    )


def test_a_long_file_is_looked_at_in_its_middle(tmp_path: Path) -> None:
    """Ten minutes of it, while the id is of the whole."""
    rate, seconds = 4_000, 660
    path = synthetic_audio.write(
        tmp_path / "a.flac", np.zeros(rate * seconds, np.float32), rate=rate
    )
    clip = decode.decode_file(path)
    assert clip.seconds == seconds
    assert len(clip.samples) == int(decode.MAX_SECONDS * decode.SAMPLE_RATE)


@pytest.mark.parametrize("kind", ["mp3", "flac", "wav"])
def test_a_truncated_file_is_analysed_up_to_its_end(tmp_path: Path, kind: str) -> None:
    """The header has a greater length; only existing samples are analysed."""
    path = synthetic_audio.write(tmp_path / f"a.{kind}", synthetic_audio.song(0, 1, seconds=8.0))
    whole = decode.decode_file(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    cut = decode.decode_file(path)
    assert 3.0 < cut.seconds < 5.0
    assert len(cut.samples) == round(cut.seconds * decode.SAMPLE_RATE)
    np.testing.assert_array_equal(
        cut.samples[: decode.SAMPLE_RATE], whole.samples[: decode.SAMPLE_RATE]
    )
    assert cut.digest != whole.digest
    assert decode.decode_file(path).digest == cut.digest


def test_parts_of_a_long_sound_make_the_whole() -> None:
    """Worked through some frames at a time, the tempogram's mean is librosa's."""
    onsets = np.random.default_rng(1).random(5_000).astype(np.float32)
    whole = librosa.feature.tempogram(
        onset_envelope=onsets, sr=decode.SAMPLE_RATE, hop_length=frame_features.HOP_LENGTH
    )
    np.testing.assert_allclose(rhythm._periodicity(onsets), whole.mean(axis=1), rtol=1e-5)


@pytest.mark.parametrize("count", [2, 5, 20])
def test_neighbours_are_merged_by_ward_linkage(count: int) -> None:
    """The groups equal scikit-learn's along a chain."""
    rows = np.random.default_rng(count).random((60, 5))
    chain = np.eye(60, k=1) + np.eye(60, k=-1)
    theirs = AgglomerativeClustering(count, connectivity=chain, linkage="ward").fit(rows)
    changes = np.flatnonzero(np.diff(theirs.labels_)) + 1
    assert keys._changes(rows, count) == changes.tolist()


def test_cancelled_channels_have_the_features_of_one(tmp_path: Path) -> None:
    """Tempo, key, mode and loudness are those of each channel."""
    song = 0.5 * synthetic_audio.song(9, 1, bpm=120, seconds=8.0)
    for name, channels in {"mono": song, "anti": np.stack([song, -song], axis=1)}.items():
        soundfile.write(tmp_path / f"{name}.wav", channels, decode.SAMPLE_RATE)
    clips = (decode.decode_file(tmp_path / f"{name}.wav") for name in ("mono", "anti"))
    mono, anti = map(extract.extract_clip, clips)
    assert (anti.estimates["key"], anti.estimates["mode"]) == (9, 1)
    assert anti.estimates["tempo"] == pytest.approx(120.0, rel=0.02)
    for name, value in mono.estimates.items():
        assert anti.estimates[name] == pytest.approx(value, rel=1e-3), name
