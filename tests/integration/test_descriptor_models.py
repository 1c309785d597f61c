"""Values of pre-trained networks: stored by imports, trained on, used to predict files."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, select, update

from classifier.data import audio_joins, dataset
from classifier.data.dataframes import source_of
from classifier.serving import predict_audio
from classifier.training import train
from classifier.training_config import OPTIONS, TrainingConfig
from collector.audio import genre_source
from collector.imports import audio
from collector.imports.audio import AudioImportRequest, AudioImportResult
from collector.imports.records import ImportContext
from genrebase.audio import descriptors, packed_vectors
from genrebase.audio.model_manifest import UnusableModel
from genrebase.runtime import audio_models
from genrebase.runtime.console import Output
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction, transaction
from tests import onnx_models, synthetic_audio
from tests.analysers import InProcess
from tests.fakes import FakeClock

SETS = (f"bands-1,{descriptors.SCHEMA_NAME}",)


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    onnx_models.write(folder)
    monkeypatch.setenv("GENREBASE_AUDIO_MODELS", str(folder))
    return folder


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Ten files of two genres."""
    folder = tmp_path / "music"
    for number in range(5):
        for genre, sound in (
            ("beats", synthetic_audio.clicks(90 + 5 * number, 1.2)),
            ("tones", synthetic_audio.tone(number, 1.2)),
        ):
            path = folder / genre / f"Artist {genre} {number} - Song {number}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            synthetic_audio.write(path, sound)
    return folder


def run_import(engine: Engine, path: Path, names: str = "", **requested: str) -> AudioImportResult:
    """Import a folder, with the networks of these names."""
    models = audio_models.chosen_models(names)
    request = AudioImportRequest(
        path, genre_source.genre_source("folder"), models=models, **requested
    )
    with Output(as_json=True).progress("x") as advance:
        context = ImportContext(engine, FakeClock(), advance)
        return audio.import_audio(context, request, analyse_files=InProcess())


def stored(engine: Engine) -> dict[str, dict[int, bytes]]:
    """Return the stored values by set and track."""
    sets: dict[str, dict[int, bytes]] = {}
    view = views.track_descriptors.c
    with read_transaction(engine) as connection:
        for schema, track, data in connection.execute(
            select(view.schema, view.track_id, view.data)
        ):
            sets.setdefault(schema, {})[track] = data
    return sets


def test_files_are_analysed_again_only_for_what_is_missing(
    engine: Engine, models: Path, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that is named later adds its values to those that are stored."""
    first = run_import(engine, music)
    assert (first.analysed, first.tracks_new) == (10, 10)
    before = stored(engine)
    assert list(before) == [descriptors.SCHEMA_NAME]
    second = run_import(engine, music, "genrebase,bands")
    assert (second.analysed, second.tracks_new, second.unchanged) == (10, 0, 0)
    after = stored(engine)
    assert after[descriptors.SCHEMA_NAME] == before[descriptors.SCHEMA_NAME]
    assert after["bands-1"].keys() == before[descriptors.SCHEMA_NAME].keys()
    with read_transaction(engine) as connection:
        names = audio_joins.descriptor_columns(source_of(connection), "bands-1")
    assert names == [f"band {number}" for number in range(1, 9)]
    vectors = packed_vectors.unpack_rows(list(after["bands-1"].values()), 8)
    assert np.isfinite(vectors).all()
    assert len(np.unique(vectors, axis=0)) == 10
    third = run_import(engine, music, "bands")
    assert (third.analysed, third.unchanged) == (0, 10)
    (music / "beats" / "another.wav").write_bytes(next((music / "beats").iterdir()).read_bytes())
    fourth = run_import(engine, music, "bands")
    assert (fourth.analysed, fourth.duplicates) == (1, 1)
    assert stored(engine) == after


def test_several_sets_are_trained_on_and_predict_files(
    sqlite_engine: Engine, models: Path, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Side by side; a network that is gone is named, and what to do."""
    run_import(sqlite_engine, music, "bands")
    config = TrainingConfig(
        estimator="logistic", features=("descriptors",), descriptors=SETS[0], min_tracks=2
    )
    done = train.run(sqlite_engine, config, FakeClock(), log=lambda _: None)
    columns = done.model.feature_schema["columns"]
    assert {name.split(":")[1] for name in columns if name.startswith("descriptor:")} == {
        "bands-1",
        descriptors.SCHEMA_NAME,
    }
    with transaction(sqlite_engine) as connection:
        connection.execute(update(tables.model).values(status="champion"))
    new = music.parent / "new.wav"
    synthetic_audio.write(new, synthetic_audio.clicks(100, 1.3))
    predictions = predict_audio.predict_files(sqlite_engine, new)
    assert predictions.uses_audio
    assert len(predictions.predictions) == 1
    (models / "bands.toml").unlink()
    with pytest.raises(UnusableModel, match=r"descriptor set bands-1, which no network"):
        predict_audio.predict_files(sqlite_engine, new)


def test_sets_are_named_in_any_order() -> None:
    """The order makes no other model; quotes protect a comma in a name."""
    parse = OPTIONS["descriptors"].parse
    assert parse("genrebase-1, bands-1") == parse("bands-1,genrebase-1") == SETS[0]
    quoted = TrainingConfig(descriptors=parse('"a,b",c'))
    assert quoted.descriptor_sets == ("a,b", "c")


def test_sets_under_a_forbidden_licence_are_left_out(
    sqlite_engine: Engine, models: Path, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The track is counted, and keeps its sets that are allowed."""
    run_import(sqlite_engine, music, "bands", licence="cc0")
    with transaction(sqlite_engine) as connection:
        chosen = connection.scalars(select(tables.descriptor.c.track_id)).first()
        mine = tables.descriptor.c
        connection.execute(
            update(tables.descriptor)
            .where(mine.track_id == chosen, mine.schema == "bands-1")
            .values(provider="csv")
        )
    config = TrainingConfig(
        features=("descriptors",), descriptors=SETS[0], licence="open", min_tracks=2
    )
    data = dataset.load_dataset(sqlite_engine, config)
    tracks = data.tracks.set_index("track_id")
    bands = tracks.filter(like="descriptor:bands-1:").notna().any(axis=1)
    own = tracks.filter(like=f"descriptor:{descriptors.SCHEMA_NAME}:").notna().any(axis=1)
    assert own.all()
    assert bands[~bands].index.tolist() == [chosen]
    left_out = [(one.source, one.count) for one in data.left_out.features]
    assert ("csv", 1) in left_out
