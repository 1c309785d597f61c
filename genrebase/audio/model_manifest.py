"""Manifests of pre-trained networks whose values are stored as descriptors of audio files.

A model is two files of one folder: a network in the ONNX format, and a manifest in TOML that says
what the network takes and gives, under which licence, and the hash of its file. The command line
calls a model by its manifest's file name without suffix; its values are stored under the name of
its descriptor set. Models are never downloaded.
"""

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from genrebase.errors import UserError, as_clause

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class UnusableModel(UserError):
    """A model is missing, damaged, or its manifest is wrong."""


class _TomlTable(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Spectrogram(_TomlTable):
    """The mel spectrogram that a network takes, in windows: (windows, frames, bands), float32."""

    sample_rate: int = Field(ge=1_000, le=192_000)
    """Hz. The audio is resampled from 44,100 Hz, mono."""
    fft_size: int = Field(ge=64, le=65_536)
    """Samples of a frame."""
    hop_length: int = Field(ge=16, le=65_536)
    """Samples between the starts of two frames."""
    mel_bands: int = Field(ge=1, le=1_024)
    """Bands of librosa's mel filters (Slaney's, each with the same area), of power."""
    low_hz: float = Field(default=0.0, ge=0)
    high_hz: float | None = Field(default=None, gt=0)
    """None: half of the sample rate."""
    window_frames: int = Field(ge=1, le=100_000)
    window_step: int = Field(ge=1, le=100_000)
    """Frames between the starts of two windows."""
    logarithm: Literal["none", "log", "log10"] = "none"
    """Applied to `factor * power + offset`; `log` is natural."""
    factor: float = Field(default=1.0, gt=0)
    offset: float = Field(default=0.0, ge=0)
    half_precision: bool = False
    """Whether the power is rounded to 16 bits, as in the training of some networks."""


class ModelManifest(_TomlTable):
    """What a manifest says."""

    set: Name
    """The descriptor set of the values. Other values need another name."""
    model: str = Field(pattern=r"^[^/\\]+\.onnx$")
    """The network's file, in the folder of the manifest."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Hash of that file."""
    licence: str = Field(min_length=1)
    """Of the network's weights."""
    origin: str = Field(min_length=1)
    """Where it comes from."""
    input: str
    """The network's input."""
    output: str
    """The network's output: (windows, values)."""
    pooling: tuple[Literal["mean", "std", "max"], ...] = Field(default=("mean",), min_length=1)
    """Statistics of each value over the windows of a file."""
    columns: tuple[str, ...] = Field(min_length=1, max_length=10_000)
    """Names of the output's values."""
    spectrogram: Spectrogram

    @model_validator(mode="after")
    def _check_names(self) -> "ModelManifest":
        for what in ("columns", "pooling"):
            if len(set(getattr(self, what))) < len(getattr(self, what)):
                raise ValueError(f"{what} has a name twice")
        return self

    @property
    def descriptor_names(self) -> tuple[str, ...]:
        """Names of the stored values: all columns of one statistic, then those of the next."""
        if len(self.pooling) == 1:
            return self.columns
        return tuple(f"{column} {kind}" for kind in self.pooling for column in self.columns)


@dataclass(frozen=True, slots=True)
class AudioModel:
    """A model in a folder; its file has the hash of the manifest."""

    name: str
    path: Path
    """Of the manifest."""
    manifest: ModelManifest

    @property
    def network(self) -> Path:
        """The path of the network."""
        return self.path.parent / self.manifest.model


def load_model(name: str, path: Path) -> AudioModel:
    """Read a manifest and check its model's file; raise `UnusableModel`."""
    try:
        manifest = ModelManifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        model = AudioModel(name, path, manifest)
        with model.network.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'the manifest'}: {one['msg']}"
            for one in error.errors(include_url=False, include_input=False)
        )
        raise UnusableModel(
            f"The manifest {path} cannot be used: {as_clause(problems)}."
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnusableModel(
            f"The model {name!r} ({path}) cannot be read: {as_clause(error)}."
        ) from error
    if sha256 != manifest.sha256:
        raise UnusableModel(
            f"{model.network} is not the file that {path} describes (SHA-256 {sha256[:12]}…, not "
            f"{manifest.sha256[:12]}…): install the model again."
        )
    return model
