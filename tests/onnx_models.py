"""Tiny networks in the ONNX format, with manifests, for tests."""

import hashlib
from pathlib import Path

import onnx
from onnx import TensorProto, helper

BANDS = 8
MANIFEST = """\
set = "{set}"
model = "{name}.onnx"
sha256 = "{sha256}"
licence = "CC0-1.0"
origin = "made by a test"
input = "windows"
output = "means"
pooling = {pooling}
columns = [{columns}]

[spectrogram]
sample_rate = 16000
fft_size = 512
hop_length = 256
mel_bands = {bands}
window_frames = 20
window_step = 10
logarithm = "log10"
factor = 10000.0
offset = 1.0
"""


def write(
    folder: Path, name: str = "bands", *, pooling: str = '["mean"]', output: str = "means"
) -> Path:
    """Write a network whose values are the means of the mel bands; return its manifest."""
    windows = helper.make_tensor_value_info("windows", TensorProto.FLOAT, ["n", 20, BANDS])
    means = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", BANDS])
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [1])
    node = helper.make_node("ReduceMean", ["windows", "axes"], [output], keepdims=0)
    graph = helper.make_graph([node], "bands", [windows], [means], [axes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    content = model.SerializeToString()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.onnx").write_bytes(content)
    onnx.checker.check_model(model)
    columns = ", ".join(f'"band {number}"' for number in range(1, BANDS + 1))
    manifest = folder / f"{name}.toml"
    manifest.write_text(
        MANIFEST.format(
            set=f"{name}-1",
            name=name,
            sha256=hashlib.sha256(content).hexdigest(),
            pooling=pooling,
            columns=columns,
            bands=BANDS,
        )
    )
    return manifest
