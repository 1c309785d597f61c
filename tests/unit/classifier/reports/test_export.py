"""Files written from a view in parts."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet
from sqlalchemy import Engine, insert, update

from classifier.data import dataset
from classifier.errors import BadTrainingConfig
from classifier.reports import export
from collector.datasets.formats.table import NotADataset
from collector.datasets.own_exports import refuse_export
from genrebase import export_mark
from genrebase.store import tables
from genrebase.store.engine import transaction
from tests.fakes import NOON
from tests.synthetic_music import Music


def parts() -> Iterator[pd.DataFrame]:
    """Yield three parts, the last of them with missing values only."""
    kinds = {"track_id": "Int64", "title": "string", "year": "Int64", "explicit": "boolean"}
    rows = [
        [(1, "a,b", 1990, True), (2, "", None, None)],
        [(3, 'say "x"\nagain', 2000, False)],
        [(4, None, None, None)],
    ]
    for part in rows:
        yield pd.DataFrame(part, columns=list(kinds)).astype(kinds)


@pytest.mark.parametrize("name", export.FORMATS)
def test_parts_become_one_file(tmp_path: Path, name: str) -> None:
    """One header, every row once, in their order."""
    file = tmp_path / f"t.{name}"
    rows, columns = export.WRITERS[name](parts(), file, lambda: "{}")
    assert (rows, columns) == (4, ("track_id", "title", "year", "explicit"))
    if name == "csv":
        result = pd.read_csv(file, dtype={"year": "Int64"})
        assert result["track_id"].tolist() == [1, 2, 3, 4]
        assert result["title"].iloc[2] == 'say "x"\nagain'
    elif name == "parquet":
        pd.testing.assert_frame_equal(
            pd.read_parquet(file), pd.concat(list(parts()), ignore_index=True), check_dtype=False
        )
    else:
        with np.load(file, allow_pickle=False) as arrays:
            assert arrays["title"].tolist() == ["a,b", "", 'say "x"\nagain', ""]
            assert arrays["title__missing"].tolist() == [False, False, False, True]
            assert arrays["year"].tolist()[0] == 1990
            assert np.isnan(arrays["year"]).tolist() == [False, True, False, True]


def test_a_view_in_parts_is_the_view(engine: Engine, tmp_path: Path) -> None:
    """Streamed from both engines, an empty view, too."""
    Music(artists=12).fill(engine)
    for view in ("training_tracks", "predictions"):
        file = tmp_path / f"{view}.parquet"
        done = export.run(engine, view, file, folds=False)
        expected = dataset.read_view(view, engine)
        assert (done.rows, list(done.columns)) == (len(expected), list(expected.columns))
        result = pd.read_parquet(file)
        key = [expected.columns[0]]
        pd.testing.assert_frame_equal(
            result.sort_values(key, ignore_index=True),
            expected.sort_values(key, ignore_index=True),
            check_dtype=False,
        )


def test_an_item_that_was_listed_is_no_label(sqlite_engine: Engine, tmp_path: Path) -> None:
    """It has a source and a licence, too, but no genre."""
    item = {"source": "jamendo", "item_id": "1", "subjects": [], "licence": "cc-by-4.0"}
    with transaction(sqlite_engine) as connection:
        rows = {**item, "listed_at": NOON, "updated_at": NOON}
        connection.execute(insert(tables.audio_item).values(**rows))
    done = export.run(sqlite_engine, "audio_items", tmp_path / "items.csv")
    assert (done.rows, done.labels, done.features) == (1, (), ())


def test_the_format_is_given_or_taken_from_the_suffix() -> None:
    """An explicit format takes precedence."""
    assert export.format_of(Path("a.CSV"), None) == "csv"
    assert export.format_of(Path("a.txt"), "npz") == "npz"
    with pytest.raises(BadTrainingConfig, match="csv, parquet, npz"):
        export.format_of(Path("a"), None)


def test_a_spreadsheet_executes_no_cell(tmp_path: Path, sqlite_engine: Engine) -> None:
    """Only where it is wanted: other tools get the texts as they are; numbers stay numbers."""
    music = Music(artists=12)
    music.fill(sqlite_engine)
    with transaction(sqlite_engine) as connection:
        connection.execute(update(tables.track).values(title="=HYPERLINK(1)"))
    options = {"columns": ["track_id", "title", "loudness"], "folds": False}
    plain, safe = tmp_path / "plain.csv", tmp_path / "safe.csv"
    export.run(sqlite_engine, "training_tracks", plain, **options)
    export.run(sqlite_engine, "training_tracks", safe, for_spreadsheets=True, **options)
    exact, escaped = pd.read_csv(plain), pd.read_csv(safe)
    assert set(exact["title"]) == {"=HYPERLINK(1)"}
    assert set(escaped["title"]) == {"'=HYPERLINK(1)"}
    pd.testing.assert_frame_equal(exact.drop(columns="title"), escaped.drop(columns="title"))
    assert (escaped["loudness"] < 0).any()
    with pytest.raises(BadTrainingConfig, match="for CSV files"):
        export.run(sqlite_engine, "tracks", tmp_path / "a.parquet", for_spreadsheets=True)


def test_labels_and_features_have_their_licences(tmp_path: Path, sqlite_engine: Engine) -> None:
    """Also where --columns lacks them; the metadata of a Parquet file has the counts."""
    Music(artists=12, silent=0.2).fill(sqlite_engine)
    with transaction(sqlite_engine) as connection:
        for name, licence in (("csv:music", "terms"), ("csv", "cc-by-4.0")):
            row = {"name": name, "licence": licence, "noted_at": NOON}
            connection.execute(insert(tables.data_source), row)
    file = tmp_path / "t.parquet"
    done = export.run(sqlite_engine, "training_tracks", file, columns=["track_id", "label", "key"])
    assert done.columns[:7] == (
        *("track_id", "label", "key", "label_source", "label_licence"),
        *("provider", "features_licence"),
    )
    assert [str(one) for one in done.labels] == [f"{done.rows} from csv:music (terms)"]
    (features,) = done.features
    assert (features.source, features.licence) == ("csv", "cc-by-4.0")
    assert 0 < features.count < done.rows
    metadata = parquet.read_metadata(file).metadata
    assert json.loads(metadata[export.SOURCES_METADATA])["features"] == [features.as_json("rows")]
    assert export_mark.METADATA.items() <= parquet.read_schema(file).metadata.items()
    titles = export.run(sqlite_engine, "tracks", tmp_path / "t.csv", columns=["title"])
    assert (titles.columns, titles.labels) == (("title",), ())
    for view in ("track_genre_sources", "training_tracks"):
        name = tmp_path / f"{view}.csv"
        written = export.run(sqlite_engine, view, name, columns=["track_id", *_LABEL[view]])
        with pytest.raises(NotADataset, match="catalogue"):
            refuse_export(name, written.columns)


_LABEL = {"track_genre_sources": ["genre"], "training_tracks": ["label"]}
