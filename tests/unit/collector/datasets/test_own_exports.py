"""Files that this software exported are no datasets."""

from pathlib import Path

import pandas as pd
import pytest

from classifier.reports import export
from collector.datasets.column_roles import usual_names
from collector.datasets.formats.table import NotADataset
from collector.datasets.own_exports import refuse_export
from genrebase.store import tables, views


def columns_of(view: str) -> list[str]:
    return list(views.ALL[view].columns)


@pytest.mark.parametrize("view", ["predictions", "task_predictions", "label_disputes"])
def test_predictions_are_refused_whoever_saved_them(tmp_path: Path, view: str):
    """A SQL client saves the same columns, in any order and case."""
    file = tmp_path / "data.csv"
    file.touch()
    for header in (columns_of(view), [name.upper() for name in reversed(columns_of(view))]):
        with pytest.raises(NotADataset, match="a model predicted"):
            refuse_export(file, header)


@pytest.mark.parametrize(
    "header",
    [
        ["title", "artists", "genre", "model_id"],
        ["track_id", "title", "artists", "genre", "probability"],
        ["title", "artists", "genre", "in_training", "predicted_at"],
        ["title", "artists", "claim", "genre", "probability"],
        ["Title", "Artists", "Genre", "Probability"],
        ["title", "artists", "label", "probability"],
        ["artists", "title", "claim", "probability", "rank"],
    ],
)
def test_parts_of_predictions_are_refused(tmp_path: Path, header: list[str]):
    """Some columns are enough."""
    file = tmp_path / "data.csv"
    file.touch()
    with pytest.raises(NotADataset, match="become labels"):
        refuse_export(file, header)


@pytest.mark.parametrize("view", ["tracks", "training_tracks", "scoring_tracks", "track_genres"])
def test_the_catalogue_is_copied_not_imported(tmp_path: Path, view: str):
    """The message names the command for it."""
    file = tmp_path / "data.csv"
    file.touch()
    with pytest.raises(NotADataset, match="genrebase copy"):
        refuse_export(file, columns_of(view))


def test_a_claim_beside_a_genre_is_of_the_catalogue(tmp_path: Path):
    """As a query for claims and predicted genres selects them."""
    file = tmp_path / "data.csv"
    file.touch()
    with pytest.raises(NotADataset, match="genrebase copy"):
        refuse_export(file, ["title", "artists", "claim", "genre"])


def test_verdicts_have_their_own_command(tmp_path: Path):
    """They are imported as verdicts."""
    file = tmp_path / "labels.csv"
    file.touch()
    header = ["source", "source_id", "genre", "by", "at", "note", "title", "artists"]
    with pytest.raises(NotADataset, match="collector label --import"):
        refuse_export(file, header)


def test_parquet_is_marked(tmp_path: Path):
    """Whatever its columns are; a Parquet file of somebody else is not."""
    frame = pd.DataFrame({"title": ["One"], "artists": ["A"], "genre": ["pop"]})
    file = tmp_path / "x.parquet"
    export.WRITERS["parquet"](iter([frame]), file, lambda: "{}")
    with pytest.raises(NotADataset, match="genrebase copy"):
        refuse_export(file, list(frame.columns))
    frame.to_parquet(tmp_path / "y.parquet")
    refuse_export(tmp_path / "y.parquet", list(frame.columns))


@pytest.mark.parametrize(
    "header",
    [
        ["track_id", "track_name", "artists", "track_genre", "popularity"],
        ["title", "artist", "label", "split", "side"],
        ["filename", "tempo", "label"],
        ["genre", "rank", "title", "artist", "score"],
        ["title", "artist", "speechiness", "probability"],
        ["source", "genre", "title", "artist", "at"],
    ],
)
def test_published_tables_are_not_refused(tmp_path: Path, header: list[str]):
    """Single columns of these names mean nothing."""
    file = tmp_path / "data.csv"
    file.touch()
    refuse_export(file, header)


def test_fields_hold_all_features():
    """The help text lists them without importing the tables."""
    assert set(tables.FEATURES) < set(usual_names.FIELDS)
