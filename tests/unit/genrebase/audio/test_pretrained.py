"""Pre-trained networks describe clips as their manifests say."""

from pathlib import Path

import librosa
import numpy as np
import pytest

from genrebase.audio.model_manifest import UnusableModel, load_model
from genrebase.audio.pretrained import PretrainedNetwork
from genrebase.errors import UserError
from genrebase.runtime import audio_models, plugins
from tests import onnx_models, synthetic_audio

CLIP = synthetic_audio.song(9, 0, seconds=3.0).astype(np.float32)


def described(manifest: Path) -> np.ndarray:
    return PretrainedNetwork(load_model(manifest.stem, manifest)).describe(CLIP)


def test_the_values_are_those_of_the_windows_of_the_spectrogram(tmp_path: Path) -> None:
    """Resampled, in mel bands, as logarithm, in overlapping windows; pooled over the windows."""
    manifest = onnx_models.write(tmp_path, pooling='["mean", "std", "max"]')
    samples = librosa.resample(CLIP, orig_sr=44_100, target_sr=16_000, res_type="soxr_hq")
    power = librosa.feature.melspectrogram(
        y=samples, sr=16_000, n_fft=512, hop_length=256, n_mels=onnx_models.BANDS
    )
    bands = np.log10(10_000 * power.T + 1)
    windows = [bands[at : at + 20].mean(axis=0) for at in range(0, len(bands) - 19, 10)]
    assert len(windows) > 16  # more than one call of the network
    expected = [np.mean(windows, axis=0), np.std(windows, axis=0), np.max(windows, axis=0)]
    np.testing.assert_allclose(described(manifest), np.concatenate(expected), atol=1e-4)
    names = load_model("bands", manifest).manifest.descriptor_names
    assert (names[0], names[-1], len(names)) == ("band 1 mean", "band 8 max", 24)


def test_a_clip_without_a_whole_window_has_no_values(tmp_path: Path) -> None:
    """They are missing, which is stored: the file is not analysed again and again."""
    network = PretrainedNetwork(load_model("bands", onnx_models.write(tmp_path)))
    assert np.isnan(network.describe(CLIP[:10_000])).all()


def test_power_is_rounded_where_the_network_was_trained_so(tmp_path: Path) -> None:
    """And what is too large for 16 bits is the largest number of them, not infinite."""
    manifest = onnx_models.write(tmp_path)
    exact = described(manifest)
    manifest.write_text(manifest.read_text() + "half_precision = true\n")
    rounded = described(manifest)
    assert not np.array_equal(rounded, exact)
    np.testing.assert_allclose(rounded, exact, atol=1e-3)
    loud = PretrainedNetwork(load_model("bands", manifest)).describe(CLIP * 1e6)
    assert np.isfinite(loud).all()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('output = "means"', 'output = "means"\nextra = 1', "extra: Extra inputs"),
        ("hop_length = 256", "hop_length = 1", "spectrogram.hop_length"),
        ('"band 2"', '"band 1"', "columns has a name twice"),
        ('model = "bands.onnx"', 'model = "../bands.onnx"', "model: String should match"),
        ('set = "bands-1"', 'set = "a,b"', "set: String should match"),
        ('set = "bands-1"', "set =", "cannot be read"),
        ('model = "bands.onnx"', 'model = "absent.onnx"', "absent.onnx"),
    ],
)
def test_a_wrong_manifest_is_refused(tmp_path: Path, old: str, new: str, reason: str) -> None:
    """With the field and the reason."""
    manifest = onnx_models.write(tmp_path)
    assert old in manifest.read_text()
    manifest.write_text(manifest.read_text().replace(old, new, 1))
    with pytest.raises(UnusableModel, match=reason):
        load_model("bands", manifest)


def test_a_changed_network_is_refused(tmp_path: Path) -> None:
    """Its values would be stored under the name of others."""
    manifest = onnx_models.write(tmp_path)
    with (tmp_path / "bands.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(UnusableModel, match="is not the file that"):
        load_model("bands", manifest)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('input = "windows"', 'input = "wave"', "it has no input 'wave', but windows"),
        ('output = "means"', 'output = "tags"', "it has no output 'tags', but means"),
        ("window_frames = 20", "window_frames = 21", "it cannot be run"),
        (', "band 8"', "", r"its output has the shape \(1, 8\), not \(1, 7\)"),
    ],
)
def test_a_network_that_does_not_fit_its_manifest_is_refused(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    """When it is loaded, before any file is analysed."""
    manifest = onnx_models.write(tmp_path)
    manifest.write_text(manifest.read_text().replace(old, new, 1))
    with pytest.raises(UnusableModel, match=reason):
        PretrainedNetwork(load_model("bands", manifest))


def test_packages_provide_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plug-in names a manifest; one that cannot be loaded is named, not left out."""
    manifest = onnx_models.write(tmp_path)
    loaded = {"bands": lambda: manifest}
    monkeypatch.setattr(plugins, "registered_names", lambda _group: ["bands"])
    monkeypatch.setattr(plugins, "load", lambda _group, name: loaded[name])
    assert [model.path for model in audio_models.find_models(["bands"])] == [manifest]

    def broken(_group: str, name: str) -> None:
        raise plugins.BrokenPlugin(f"The plug-in {name!r} cannot be loaded.")

    monkeypatch.setattr(plugins, "load", broken)
    with pytest.raises(plugins.BrokenPlugin, match="'bands'"):
        audio_models.find_models(["bands"])


def test_models_are_found_by_name_and_by_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the folder of the settings; nothing is chosen by default."""
    assert audio_models.chosen_models(None) == ()
    with pytest.raises(UserError, match=r"no model 'bands' .* Known: none; no folder is set"):
        audio_models.chosen_models("bands")
    onnx_models.write(tmp_path)
    onnx_models.write(tmp_path, "other", output="means")
    monkeypatch.setenv("GENREBASE_AUDIO_MODELS", str(tmp_path))
    monkeypatch.setenv("GENREBASE_DESCRIPTORS", "genrebase,bands")
    assert [model.name for model in audio_models.chosen_models(None)] == ["bands"]
    names = [model.name for model in audio_models.chosen_models("other, bands,other")]
    assert names == ["other", "bands"]
    assert [one.name for one in audio_models.find_sets(("other-1", "fma518"))] == ["other"]
    with pytest.raises(UserError, match="Known: bands, other"):
        audio_models.chosen_models("musicnn")
    (tmp_path / "other.toml").write_text((tmp_path / "bands.toml").read_text())
    with pytest.raises(UserError, match="the same set"):
        audio_models.chosen_models("bands,other")
