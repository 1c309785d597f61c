"""Network weights as bytes, in safetensors: names, shapes and numbers, never code."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from classifier.errors import BrokenArtifact


def serialise(module: nn.Module) -> NDArray[np.uint8]:
    """Return the weights of a module."""
    tensors = {name: value.contiguous() for name, value in module.state_dict().items()}
    return np.frombuffer(save(tensors), dtype=np.uint8).copy()


def load_weights(module: nn.Module, data: NDArray[np.uint8]) -> None:
    """Set the weights of a module; raise `BrokenArtifact` where they do not fit it."""
    try:
        tensors: dict[str, Any] = load(data.tobytes())
        module.load_state_dict(tensors)
    except (SafetensorError, RuntimeError) as error:
        raise BrokenArtifact(f"The weights do not fit the network: {error}.") from error
