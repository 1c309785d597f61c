"""Recognise exports of this software: predictions and decisions are no training data.

An export is recognised by its content, not by the file's name: Parquet by the metadata that
exports carry, any table by columns that only our views have, also where a SQL client saved it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from collector.datasets.formats.table import NotADataset
from genrebase import export_mark

_PARQUET: Final = b"PAR1"

_PREDICTIONS: Final = (
    {"model_id", "genre"},
    {"model_id", "label"},
    {"genre", "probability"},
    {"label", "probability"},
    {"claim", "probability"},
    {"genre", "in_training"},
    {"genre", "predicted_at"},
    {"genre", "nearest_genre"},
)
"""Columns that only tables of predicted genres have together, also those that a query selected."""
_CATALOGUE: Final = (
    {"claim", "verdict"},
    {"claim", "genre"},
    {"track_fold", "side"},
    {"label", "genres_sighted"},
    {"name_key", "claim_tied"},
    {"track_id", "genre", "is_claim"},
    {"label_source", "label_licence"},
    {"provider", "features_licence"},
    {"track_id", "genre", "source", "licence"},
)
"""Sets of columns that only a catalogue's tables have."""
_VERDICTS: Final = {"source", "source_id", "genre", "by", "at"}

_NO_DATA: Final = {
    "predictions": "holds genres that a model predicted. Imported, they would become labels, and "
    "a model would be trained on its own answers. Import the file that the tracks came from.",
    "catalogue": "is an export of a Genrebase catalogue: its labels are decisions, its features "
    "come from several providers. To take a catalogue over, use genrebase copy; else import the "
    "files that it was made from.",
    "verdicts": "is an export of verdicts: read it with collector label --import.",
}


def refuse_export(path: Path, header: Sequence[str]) -> None:
    """Raise `NotADataset` for a table with this header if it was exported from a database."""
    kind = _kind_of_columns(header)
    if kind is None and _is_marked(path):
        kind = "catalogue"
    if kind is not None:
        raise NotADataset(f"{path} {_NO_DATA[kind]}")


def _kind_of_columns(header: Sequence[str]) -> str | None:
    names = {"_".join(name.casefold().split()) for name in header}
    if any(columns <= names for columns in _PREDICTIONS):
        return "predictions"
    if any(columns <= names for columns in _CATALOGUE):
        return "catalogue"
    return "verdicts" if names >= _VERDICTS else None


def _is_marked(path: Path) -> bool:
    with path.open("rb") as file:
        if file.read(len(_PARQUET)) != _PARQUET:
            return False
    # pyarrow takes a quarter of a second to import, and CSV does not need it
    import pyarrow as pa
    from pyarrow import parquet

    try:
        metadata = parquet.read_schema(path).metadata or {}
    except pa.ArrowException:  # opening the dataset reports it
        return False
    return export_mark.METADATA.keys() <= metadata.keys()
