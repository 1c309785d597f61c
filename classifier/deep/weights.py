"""Weights as bytes: safetensors, which holds names, shapes and numbers and can hold no code."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from classifier.errors import BrokenArtifact


def serialise(module: nn.Module) -> NDArray[np.uint8]:
    """Return the weights of a module."""
    held = {name: value.contiguous() for name, value in module.state_dict().items()}
    return np.frombuffer(save(held), dtype=np.uint8).copy()


def load_weights(module: nn.Module, data: NDArray[np.uint8]) -> None:
    """Give a module its weights back; raise `BrokenArtifact` where they are not its own."""
    try:
        held: dict[str, Any] = load(data.tobytes())
        module.load_state_dict(held)
    except (SafetensorError, RuntimeError) as error:
        raise BrokenArtifact(f"The weights do not fit the network: {error}.") from error
