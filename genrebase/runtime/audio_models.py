"""Find the pre-trained networks that analyse audio files, by name or by descriptor set."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from genrebase.audio.model_manifest import AudioModel, UnusableModel, load_model
from genrebase.errors import UserError
from genrebase.extras import install_hint
from genrebase.runtime import plugins
from genrebase.settings import GenrebaseSettings

GROUP: Final = "collector.descriptors"
"""The entry-point group of plug-ins: functions that return the path of a manifest."""
OWN_FEATURES: Final = "genrebase"
"""The name of the features that are always extracted."""


def chosen_models(names: str | None) -> tuple[AudioModel, ...]:
    """Return the models that `--descriptors` names, else those of `GENREBASE_DESCRIPTORS`.

    `names` are separated by commas. Each model is loaded once: raise `UserError` if onnxruntime is
    missing, `UnusableModel` if a model is missing or does not fit its manifest.
    """
    text = GenrebaseSettings.load().descriptors if names is None else names
    models = find_models([name.strip() for name in text.split(",") if name.strip()])
    check_models(models)
    return models


def check_models(models: Sequence[AudioModel]) -> None:
    """Load each model once; raise `UserError`, as `chosen_models` does."""
    if not models:
        return
    if find_spec("onnxruntime") is None:
        raise UserError(f"Pre-trained networks need onnxruntime. {install_hint('pretrained')}")
    from genrebase.audio.pretrained import PretrainedNetwork  # onnxruntime and librosa

    for model in models:
        PretrainedNetwork(model)


def find_models(names: Sequence[str]) -> tuple[AudioModel, ...]:
    """Return the models of these names, once each; `genrebase` is left out.

    Raise `UnusableModel` for one that is missing, whose manifest is wrong or whose file changed.
    """
    wanted = [name for name in dict.fromkeys(names) if name != OWN_FEATURES]
    if not wanted:
        return ()
    paths = _manifests()
    for name in wanted:
        if name not in paths:
            known = ", ".join(sorted(paths)) or "none"
            folder = GenrebaseSettings.load().audio_models
            where = "no folder is set" if folder is None else f"the folder is {folder}"
            raise UnusableModel(
                f"There is no model {name!r} for audio files. Known: {known}; {where}. Put "
                f"{name}.toml and its .onnx file into a folder, and set GENREBASE_AUDIO_MODELS to "
                "it (docs/sound.md says how to make them)."
            )
    models = tuple(load_model(name, paths[name]) for name in wanted)
    sets = [model.manifest.set for model in models]
    if len(set(sets)) < len(sets):
        raise UnusableModel(f"Two of these models have the same set: {', '.join(sets)}.")
    return models


def find_sets(sets: Sequence[str]) -> tuple[AudioModel, ...]:
    """Return the models that compute these descriptor sets, in order of name.

    Sets that no model computes are left out. Raise `UnusableModel` as `find_models` does.
    """
    if not sets:
        return ()
    found = (load_model(name, path) for name, path in sorted(_manifests().items()))
    return tuple(model for model in found if model.manifest.set in sets)


def _manifests() -> dict[str, Path]:
    """Return the path of each manifest by name: those of plug-ins, then those of the folder.

    Raise `BrokenPlugin`, which names it, for a plug-in that cannot be loaded.
    """
    paths = {name: Path(plugins.load(GROUP, name)()) for name in plugins.registered_names(GROUP)}
    folder = GenrebaseSettings.load().audio_models
    if folder is not None:
        paths |= {path.stem: path for path in sorted(folder.glob("*.toml"))}
    return paths
