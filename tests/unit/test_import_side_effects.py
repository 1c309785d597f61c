"""Imports have no side effects."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

IMPORT_ALL = """
import importlib, pkgutil, socket, sys, threading

sys.path.insert(0, sys.argv[1])


def refuse(*_arguments, **_options):
    raise AssertionError("importing opened a socket")


socket.socket.connect = socket.socket.bind = socket.create_connection = refuse
names = []
for package in ("genrebase", "collector", "classifier", "sandbox", "web"):
    found = pkgutil.walk_packages(importlib.import_module(package).__path__, package + ".")
    names += [module.name for module in found]
for name in names:
    if not name.startswith("classifier.deep."):  # what needs an extra
        importlib.import_module(name)
others = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
assert not others, f"importing started {others}"
print(len(names))
"""

IMPORT_DEEP = """
import importlib, pkgutil, sys

sys.path.insert(0, sys.argv[1])
from classifier import deep

names = [module.name for module in pkgutil.iter_modules(deep.__path__, "classifier.deep.")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""

FIT_ANOTHER = """
import sys

sys.path.insert(0, sys.argv[1])
from classifier import estimators
from classifier.registry import artifacts
from classifier.training_config import TrainingConfig
from tests.small_estimators import SMALL
from tests.synthetic_music import Music

tracks = Music(artists=12).snapshot().tracks
for name in ("logistic", "blend"):
    config = TrainingConfig(estimator=name, params=SMALL.get(name, {}))
    model = estimators.build(config, threads=1)
    model.fit(tracks, tracks["label"].to_numpy(dtype=str), None)
    artifacts.serialise(artifacts.ModelArtifact(model, tracks["track_id"].to_numpy()))
print(sorted({"torch", "skorch", "safetensors"} & set(sys.modules)))
"""


def python(code: str, folder: Path) -> str:
    """Run `code` in an empty folder with an empty environment; return its output."""
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT)],
        cwd=folder,
        env={"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.strip()


def test_importing_does_nothing(tmp_path: Path) -> None:
    """Every module imports without a setting, a socket, a thread, a word or a file."""
    assert int(python(IMPORT_ALL, tmp_path)) > 50
    assert list(tmp_path.iterdir()) == []


@pytest.mark.deep
def test_what_needs_torch_imports_as_quietly(tmp_path: Path) -> None:
    """Without a word or a file."""
    assert int(python(IMPORT_DEEP, tmp_path)) >= 3
    assert list(tmp_path.iterdir()) == []


def test_torch_is_imported_only_for_deep_models(tmp_path: Path) -> None:
    """Training and storing another estimator imports no module of the extra."""
    assert python(FIT_ANOTHER, tmp_path) == "[]"
