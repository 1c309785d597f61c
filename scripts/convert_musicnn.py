"""Convert MusiCNN, a network that tags music, into a model for `collector import-audio`.

Run it once, in an environment of its own, which can be deleted afterwards (Python 3.9 to 3.11):

    python3.11 -m venv convert && . convert/bin/activate
    pip install tensorflow-cpu==2.15.1 tf2onnx==1.16.1 "onnx<1.17" "numpy<2" "protobuf<5"
    pip install librosa
    pip install --no-deps musicnn==0.1.0
    python scripts/convert_musicnn.py FOLDER [CLIP ...]

It writes `musicnn.onnx` and `musicnn.toml` into FOLDER; set `GENREBASE_AUDIO_MODELS=FOLDER`. The
package `musicnn` has the weights of Pons and Serra, "musicnn: pre-trained convolutional neural
networks for music audio tagging" (ISMIR 2019), trained on the Million Song Dataset (licence: ISC).
The values of a window are the probabilities of its 50 tags and the 200 values of the last hidden
layer. The original's tags of each CLIP are written into `original_tags.npz`, to compare with.
"""

import hashlib
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
import tf2onnx
from musicnn import configuration, extractor, models

MODEL = "MSD_musicnn"
FRAMES = 187
"""Frames of a window of three seconds."""
HIDDEN = 200
MANIFEST = """\
set = "musicnn-1"
model = "musicnn.onnx"
sha256 = "{sha256}"
licence = "ISC"
origin = "https://github.com/jordipons/musicnn: MSD_musicnn of version 0.1.0"
input = "input"
output = "values"
pooling = ["mean"]
columns = [
{columns}
]

[spectrogram]
sample_rate = 16000
fft_size = 512
hop_length = 256
mel_bands = 96
window_frames = {frames}
window_step = {frames}
logarithm = "log10"
factor = 10000.0
offset = 1.0
half_precision = true  # as it was trained
"""


def convert(folder: Path) -> Path:
    """Write the model and its manifest; return the model's path."""
    folder.mkdir(parents=True, exist_ok=True)
    graph = tf.Graph()
    with graph.as_default(), tf.compat.v1.Session() as session:
        with tf.name_scope("model"):  # the names of the stored variables
            windows = tf.compat.v1.placeholder(
                tf.float32, [None, FRAMES, configuration.N_MELS], name="windows"
            )
            tags = len(configuration.MSD_LABELS)
            logits, *_, hidden = models.define_model(windows, False, MODEL, tags)
            values = tf.concat([tf.nn.sigmoid(logits), hidden], 1, name="values")
        weights = Path(models.__file__).parent / MODEL
        tf.compat.v1.train.Saver().restore(session, f"{weights}/")
        frozen = tf.compat.v1.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), [values.op.name]
        )
    model, _ = tf2onnx.convert.from_graph_def(
        frozen,
        input_names=[windows.name],
        output_names=[values.name],
        tensors_to_rename={windows.name: "input", values.name: "values"},
        opset=17,
    )
    path = folder / "musicnn.onnx"
    path.write_bytes(model.SerializeToString())
    labels = [f"tag {label.lower()}" for label in configuration.MSD_LABELS]
    columns = labels + [f"hidden_{number:03d}" for number in range(1, HIDDEN + 1)]
    listed = "\n".join(f'    "{column}",' for column in columns)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest = MANIFEST.format(sha256=sha256, columns=listed, frames=FRAMES)
    (folder / "musicnn.toml").write_text(manifest)
    return path


def tags_of_original(clip: Path) -> np.ndarray:
    """Return the mean of the original's tags over the windows of a clip, shaped (50,)."""
    taggram, _ = extractor.extractor(str(clip), model=MODEL, extract_features=False)
    return taggram.mean(axis=0)


def main() -> None:
    """Convert; write the original's tags of each clip beside the model, for a comparison."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder, *clips = map(Path, sys.argv[1:])
    print("written:", convert(folder))
    if clips:
        tags = {clip.name: tags_of_original(clip) for clip in clips}
        np.savez(folder / "original_tags.npz", **tags)
        print("tags of the original:", folder / "original_tags.npz")


if __name__ == "__main__":
    main()
