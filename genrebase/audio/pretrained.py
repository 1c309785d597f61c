"""Run a pre-trained network on a clip: the values of its windows, pooled over the clip.

Needs the extra `pretrained` (onnxruntime) beside `audio`. One thread, no network access.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import librosa
import numpy as np
import onnxruntime
import soxr
from numpy.typing import NDArray

from genrebase.audio.decode import SAMPLE_RATE, Samples
from genrebase.audio.model_manifest import AudioModel, Spectrogram, UnusableModel

_WINDOWS_AT_ONCE: Final = 16
"""Windows of one call of the network, which bounds its memory."""
_WINDOW_RANK, _OUTPUT_RANK = 3, 2
_ERRORS_ONLY: Final = 3
"""Log level of onnxruntime."""
_LARGEST_HALF: Final = float(np.finfo(np.float16).max)
_LOGARITHMS: Final = {"log": np.log, "log10": np.log10}


class PretrainedNetwork:
    """A network that is loaded once, and describes clips one after another."""

    def __init__(self, model: AudioModel) -> None:
        """Load the network; raise `UnusableModel` if it does not fit its manifest."""
        self._model, self._manifest = model, model.manifest
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        try:
            self._session = onnxruntime.InferenceSession(
                str(model.network), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its errors have no class in common
            raise self._unusable(f"it cannot be loaded: {error}") from error
        self._check("input", self._session.get_inputs(), self._manifest.input, _WINDOW_RANK)
        self._check("output", self._session.get_outputs(), self._manifest.output, _OUTPUT_RANK)
        spec = self._manifest.spectrogram
        silence = np.zeros((1, spec.window_frames, spec.mel_bands), dtype=np.float32)
        self._run(silence)

    def describe(self, samples: Samples) -> NDArray[np.float32]:
        """Return the pooled values of a clip, in the order of `manifest.descriptor_names`.

        `samples`: mono, -1..1, `SAMPLE_RATE` a second. A clip that is shorter than a window has no
        values: all are NaN. A value that is not finite in any window is NaN.
        """
        outputs = [self._run(part) for part in _batches(samples, self._manifest.spectrogram)]
        if not outputs:
            return np.full(len(self._manifest.descriptor_names), np.nan, dtype=np.float32)
        values = np.concatenate(outputs).astype(np.float64)
        values[~np.isfinite(values)] = np.nan
        statistics: Mapping[str, Any] = {"mean": np.mean, "std": np.std, "max": np.max}
        pooled = [statistics[kind](values, axis=0) for kind in self._manifest.pooling]
        return np.concatenate(pooled).astype(np.float32)

    def _run(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the values of some windows: (windows, columns)."""
        try:
            (values,) = self._session.run([self._manifest.output], {self._manifest.input: windows})
        except Exception as error:
            raise self._unusable(f"it cannot be run: {error}") from error
        expected = (len(windows), len(self._manifest.columns))
        if values.shape != expected:
            raise self._unusable(f"its output has the shape {values.shape}, not {expected}")
        return np.asarray(values, dtype=np.float32)

    def _check(self, what: str, nodes: list[Any], name: str, rank: int) -> None:
        shapes = {node.name: node.shape for node in nodes}
        if name not in shapes:
            raise self._unusable(f"it has no {what} {name!r}, but {', '.join(sorted(shapes))}")
        if len(shapes[name]) != rank:
            raise self._unusable(f"its {what} {name!r} has {len(shapes[name])} axes, not {rank}")
        if what == "input" and set(shapes) != {name}:
            others = ", ".join(sorted(set(shapes) - {name}))
            raise self._unusable(f"it needs other inputs, too: {others}")

    def _unusable(self, problem: str) -> UnusableModel:
        return UnusableModel(
            f"The network {self._model.network} does not fit its manifest "
            f"{self._model.path.name}: {problem}."
        )


def _batches(samples: Samples, spec: Spectrogram) -> Iterator[NDArray[np.float32]]:
    """Yield the windows of a clip, some at once: (windows, frames, bands)."""
    bands = _mel_spectrogram(samples, spec)
    starts = range(0, len(bands) - spec.window_frames + 1, spec.window_step)
    for first in range(0, len(starts), _WINDOWS_AT_ONCE):
        chosen = starts[first : first + _WINDOWS_AT_ONCE]
        yield np.stack([bands[start : start + spec.window_frames] for start in chosen])


def _mel_spectrogram(samples: Samples, spec: Spectrogram) -> NDArray[np.float32]:
    """Return (frames, bands) as the network takes them."""
    if spec.sample_rate != SAMPLE_RATE:
        samples = soxr.resample(samples, SAMPLE_RATE, spec.sample_rate, quality="HQ")
    power = librosa.feature.melspectrogram(
        y=samples,
        sr=spec.sample_rate,
        n_fft=spec.fft_size,
        hop_length=spec.hop_length,
        n_mels=spec.mel_bands,
        fmin=spec.low_hz,
        fmax=spec.high_hz,
    ).T
    if spec.half_precision:
        power = np.minimum(power, _LARGEST_HALF).astype(np.float16)
    values = power.astype(np.float32)
    if spec.logarithm != "none":
        scaled = np.float32(spec.factor) * values + np.float32(spec.offset)
        values = _LOGARITHMS[spec.logarithm](np.maximum(scaled, np.finfo(np.float32).tiny))
    return np.ascontiguousarray(values)
