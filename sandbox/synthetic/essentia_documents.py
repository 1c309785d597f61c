"""Documents of AcousticBrainz: Essentia's low-level numbers of a file, and high-level guesses.

The structure is that of the extractor `music 1.0`, about 3,000 numbers; those beside the
submission's own are random around a usual value, and depend on the track's features.
"""

from collections.abc import Collection, Mapping, Sequence
from random import Random
from typing import Any, Final

from sandbox import Json
from sandbox.tracks.recordings import RecordingCatalogue
from sandbox.tracks.submissions import SandboxSubmission

SELECTABLE: Final = (
    "lowlevel.average_loudness",
    "lowlevel.dynamic_complexity",
    "metadata.audio_properties.replay_gain",
    "metadata.tags",
    "rhythm.beats_count",
    "rhythm.beats_loudness.mean",
    "rhythm.bpm",
    "rhythm.bpm_histogram_first_peak_bpm.mean",
    "rhythm.bpm_histogram_second_peak_bpm.mean",
    "rhythm.danceability",
    "rhythm.onset_rate",
    "tonal.chords_changes_rate",
    "tonal.chords_key",
    "tonal.chords_scale",
    "tonal.key_key",
    "tonal.key_scale",
    "tonal.key_strength",
    "tonal.tuning_equal_tempered_deviation",
    "tonal.tuning_frequency",
)
"""Features that can be requested by name; all others come with the whole document only."""
_BAND_SHAPES: Final = ("crest", "flatness_db", "kurtosis", "skewness", "spread")
_BAND_SHAPE_MEANS: Final = (13.0, 0.3, 8.0, 1.5, 11.0)
_BANDS: Final = {"barkbands": 27, "erbbands": 40, "melbands": 40}
_MEANS: Final = {
    "dissonance": 0.45,
    "hfc": 9.0,
    "pitch_salience": 0.5,
    "silence_rate_20dB": 0.99,
    "silence_rate_30dB": 0.9,
    "silence_rate_60dB": 0.1,
    "spectral_centroid": 1_200.0,
    "spectral_complexity": 15.0,
    "spectral_decrease": -5e-9,
    "spectral_energy": 0.03,
    "spectral_energyband_high": 1e-3,
    "spectral_energyband_low": 5e-3,
    "spectral_energyband_middle_high": 4e-3,
    "spectral_energyband_middle_low": 0.016,
    "spectral_entropy": 7.0,
    "spectral_flux": 0.09,
    "spectral_kurtosis": 20.0,
    "spectral_rms": 0.005,
    "spectral_rolloff": 1_500.0,
    "spectral_skewness": 3.0,
    "spectral_spread": 4e6,
    "spectral_strongpeak": 1.0,
    "zerocrossingrate": 0.06,
}
_VECTOR_MEANS: Final = {
    "spectral_contrast_coeffs": (6, -0.6),
    "spectral_contrast_valleys": (6, -7),
}
_STATISTICS: Final = {
    "dmean": 0.15,
    "dmean2": 0.25,
    "dvar": 0.05,
    "dvar2": 0.12,
    "max": 3.0,
    "mean": 1.0,
    "median": 0.95,
    "min": 0.1,
    "var": 0.3,
}
"""Each statistic of a feature as a share of its mean."""
_N_COEFFICIENTS: Final = 13
_N_PITCHES: Final = 36
_N_CHORDS: Final = 24
_FEATURE_INFLUENCE: Final = 0.6
_NOISE: Final = 0.15
_CLASSIFIERS: Final = {
    "danceability": ("danceable", "not_danceable"),
    "gender": ("female", "male"),
    "genre_dortmund": (
        "alternative", "blues", "electronic", "folkcountry", "funksoulrnb", "jazz", "pop",
        "raphiphop", "rock",
    ),
    "genre_electronic": ("ambient", "dnb", "house", "techno", "trance"),
    "genre_rosamerica": ("cla", "dan", "hip", "jaz", "pop", "rhy", "roc", "spe"),
    "genre_tzanetakis": (
        "blu", "cla", "cou", "dis", "hip", "jaz", "met", "pop", "reg", "roc",
    ),
    "ismir04_rhythm": (
        "ChaChaCha", "Jive", "Quickstep", "Rumba-American", "Rumba-International", "Rumba-Misc",
        "Samba", "Tango", "VienneseWaltz", "Waltz",
    ),
    "mood_acoustic": ("acoustic", "not_acoustic"),
    "mood_aggressive": ("aggressive", "not_aggressive"),
    "mood_electronic": ("electronic", "not_electronic"),
    "mood_happy": ("happy", "not_happy"),
    "mood_party": ("not_party", "party"),
    "mood_relaxed": ("not_relaxed", "relaxed"),
    "mood_sad": ("not_sad", "sad"),
    "moods_mirex": ("Cluster1", "Cluster2", "Cluster3", "Cluster4", "Cluster5"),
    "timbre": ("bright", "dark"),
    "tonal_atonal": ("atonal", "tonal"),
    "voice_instrumental": ("instrumental", "voice"),
}  # fmt: skip
_EXTRACTOR: Final = {
    "essentia": "2.1-beta2",
    "essentia_build_sha": "0" * 40,
    "essentia_git_sha": "v2.1_beta2",
    "extractor": "music 1.0",
}


def low_level_document(submission: SandboxSubmission, catalogue: RecordingCatalogue) -> Json:
    features = catalogue.tracks.features_at(submission.recording.row)
    return {
        "lowlevel": _low_level(submission, _Numbers("lowlevel", submission, features)),
        **_other_parts(submission, catalogue, features),
    }


def selected_features(
    submission: SandboxSubmission, catalogue: RecordingCatalogue, names: Collection[str]
) -> Json:
    """Return those of the 19 selectable features of a document that are named."""
    whole: Json = {
        "lowlevel": {
            "average_loudness": submission.average_loudness,
            "dynamic_complexity": submission.dynamic_complexity,
        },
        **_other_parts(
            submission, catalogue, catalogue.tracks.features_at(submission.recording.row)
        ),
    }
    selected: Json = {}
    for name in SELECTABLE:
        if name in names:
            source, target = whole, selected
            *parents, last = name.split(".")
            for parent in parents:
                source, target = source[parent], target.setdefault(parent, {})
            target[last] = source[last]
    return selected


def high_level_document(submission: SandboxSubmission, catalogue: RecordingCatalogue) -> Json:
    """Return the guesses of 18 classifiers, and the metadata."""
    random = Random(f"guesses {submission.mbid} {submission.offset}")
    guesses: Json = {}
    for name, classes in _CLASSIFIERS.items():
        weights = [random.gammavariate(0.5, 1) + 1e-9 for _ in classes]
        shares = [weight / sum(weights) for weight in weights]
        best = max(range(len(classes)), key=shares.__getitem__)
        guesses[name] = {
            "all": dict(zip(classes, shares, strict=True)),
            "probability": shares[best],
            "value": classes[best],
        }
    metadata = _metadata(submission, catalogue)
    metadata["version"] = {"highlevel": {**_EXTRACTOR, "gaia": "2.4-dev"}, "lowlevel": _EXTRACTOR}
    return {"highlevel": guesses, "metadata": metadata}


def _other_parts(
    submission: SandboxSubmission, catalogue: RecordingCatalogue, features: Mapping[str, float]
) -> Json:
    return {
        "metadata": _metadata(submission, catalogue),
        "rhythm": _rhythm(submission, _Numbers("rhythm", submission, features)),
        "tonal": _tonal(submission, _Numbers("tonal", submission, features)),
    }


class _Numbers:
    """Draws the numbers of a document's part; the same submission gives the same ones."""

    def __init__(
        self, part: str, submission: SandboxSubmission, features: Mapping[str, float]
    ) -> None:
        self.random = Random(f"{part} {submission.mbid} {submission.offset}")
        self._features = [
            features.get(name, 0.5) - 0.5 for name in ("energy", "acousticness", "danceability")
        ]

    def statistics(self, name: str, mean: float) -> dict[str, float]:
        """Return the statistics of a feature with one value per frame."""
        value = self._value(name, mean)
        return {statistic: value * share for statistic, share in _STATISTICS.items()}

    def vector_statistics(self, name: str, length: int, mean: float) -> dict[str, list[float]]:
        """Return the statistics of a feature with several values per frame."""
        values = self.vector(name, length, mean)
        return {
            statistic: [value * share for value in values]
            for statistic, share in _STATISTICS.items()
        }

    def vector(self, name: str, length: int, mean: float) -> list[float]:
        return [self._value(f"{name} {number}", mean) for number in range(length)]

    def matrix(self, size: int, diagonal: float) -> list[list[float]]:
        return [
            [
                (diagonal if row == column else 0.0) + diagonal * self.random.uniform(-0.2, 0.2)
                for column in range(size)
            ]
            for row in range(size)
        ]

    def _value(self, name: str, mean: float) -> float:
        weights = Random(f"weights {name}")  # the same influence in every document
        influence = sum(weights.uniform(-1, 1) * feature for feature in self._features)
        return mean * (1 + _FEATURE_INFLUENCE * influence + self.random.gauss(0, _NOISE))


def _low_level(submission: SandboxSubmission, numbers: _Numbers) -> Json:
    document: Json = {
        "average_loudness": submission.average_loudness,
        "dynamic_complexity": submission.dynamic_complexity,
    }
    for name, length in _BANDS.items():
        document[name] = numbers.vector_statistics(name, length, 1e-3)
        for shape, mean in zip(_BAND_SHAPES, _BAND_SHAPE_MEANS, strict=True):
            document[f"{name}_{shape}"] = numbers.statistics(f"{name} {shape}", mean)
    for name, (length, mean) in _VECTOR_MEANS.items():
        document[name] = numbers.vector_statistics(name, length, mean)
    for name, mean in _MEANS.items():
        document[name] = numbers.statistics(name, mean)
    for name, first in (("gfcc", -170.0), ("mfcc", submission.mfcc_zero)):
        document[name] = {
            "cov": numbers.matrix(_N_COEFFICIENTS, 900.0),
            "icov": numbers.matrix(_N_COEFFICIENTS, 0.002),
            "mean": [first, *numbers.vector(name, _N_COEFFICIENTS - 1, 40.0)],
        }
    return dict(sorted(document.items()))


def _rhythm(submission: SandboxSubmission, numbers: _Numbers) -> Json:
    interval = 60 / submission.bpm
    beats = [round(0.4 + interval * number, 6) for number in range(int(200 / interval))]
    first_peak = float(round(submission.bpm))
    return {
        "beats_count": len(beats),
        "beats_loudness": numbers.statistics("beats loudness", 0.04),
        "beats_loudness_band_ratio": numbers.vector_statistics("beats ratio", 6, 0.3),
        "beats_position": beats,
        "bpm": submission.bpm,
        **{
            f"bpm_histogram_{peak}_peak_{name}": _constant(value)
            for peak, bpm in (("first", first_peak), ("second", submission.bpm_second_peak))
            for name, value in (("bpm", bpm), ("spread", 0.4), ("weight", 0.3))
        },
        "danceability": submission.danceability,
        "onset_rate": submission.onset_rate,
    }


def _tonal(submission: SandboxSubmission, numbers: _Numbers) -> Json:
    return {
        "chords_changes_rate": submission.chords_changes_rate,
        "chords_histogram": numbers.vector("chords", _N_CHORDS, 100 / _N_CHORDS),
        "chords_key": submission.chords_key,
        "chords_number_rate": submission.chords_changes_rate / 8,
        "chords_scale": submission.chords_scale,
        "chords_strength": numbers.statistics("chords strength", 0.5),
        "hpcp": numbers.vector_statistics("hpcp", _N_PITCHES, 0.3),
        "hpcp_entropy": numbers.statistics("hpcp entropy", 1.5),
        "key_key": submission.key,
        "key_scale": submission.scale,
        "key_strength": submission.key_strength,
        "thpcp": numbers.vector("thpcp", _N_PITCHES, 0.4),
        "tuning_diatonic_strength": submission.key_strength * 0.9,
        "tuning_equal_tempered_deviation": submission.tuning_deviation,
        "tuning_frequency": submission.tuning_frequency,
        "tuning_nontempered_energy_ratio": 0.7,
    }


def _metadata(submission: SandboxSubmission, catalogue: RecordingCatalogue) -> Json:
    """Return the file's properties and its own tags, lists of text."""
    recording, tracks = submission.recording, catalogue.tracks
    track = tracks.track_at(recording.row)
    random = Random(f"file {submission.mbid} {submission.offset}")
    tags: dict[str, Sequence[str]] = {
        "album": [track.album],
        "artist": ["; ".join(track.artists)],
        "date": [recording.date],
        "isrc": [track.isrc or ""],
        "musicbrainz_artistid": [mbid for mbid, _ in catalogue.artists(recording)],
        "musicbrainz_recordingid": [submission.mbid],
        "title": [track.title],
    }
    genres = tracks.genres_at(recording.row)
    if genres and random.random() < 0.6:
        tags["genre"] = [genres[0].title()]
    is_lossless = random.random() < 0.4
    properties: dict[str, Any] = {
        "analysis_sample_rate": 44_100,
        "bit_rate": 900_000 if is_lossless else random.choice((128_000, 192_000, 320_000)),
        "codec": "flac" if is_lossless else "mp3",
        "downmix": "mix",
        "equal_loudness": 0,
        "length": (track.duration_ms or 200_000) / 1_000 + random.uniform(-0.5, 0.5),
        "lossless": is_lossless,
        "md5_encoded": f"{random.getrandbits(128):032x}",
        "replay_gain": -9 + random.gauss(0, 2),
        "sample_rate": 44_100,
    }
    return {
        "audio_properties": properties,
        "tags": {name: texts for name, texts in tags.items() if any(texts)},
        "version": _EXTRACTOR,
    }


def _constant(value: float) -> dict[str, float]:
    """Return the statistics of a number that there is one of."""
    level = ("max", "mean", "median", "min")
    return {statistic: value if statistic in level else 0.0 for statistic in _STATISTICS}
