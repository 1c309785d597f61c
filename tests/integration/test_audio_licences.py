"""Licences of audio files, of FMA's tracks and of MTG-Jamendo's tags."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, select

from collector.imports.audio import AudioImportResult
from collector.imports.fma import import_fma
from genrebase.store import tables, views
from tests import fma_tables
from tests.import_runs import context_of, run_dataset
from tests.integration.test_import_audio import note, rows, run

__all__ = ["run"]

LABELS = select(
    views.tracks.c.title,
    views.track_genre_sources.c.genre,
    views.track_genre_sources.c.licence,
).join(views.tracks, views.tracks.c.track_id == views.track_genre_sources.c.track_id)
FEATURES = select(tables.track.c.title, tables.audio_features.c.licence).join(
    tables.audio_features, tables.audio_features.c.track_id == tables.track.c.id
)


def test_audio_files_have_the_licence_of_their_import(
    engine: Engine, run: Callable[..., AudioImportResult], tmp_path: Path
) -> None:
    """Another folder has another one; a licence that is given later counts for unchanged files."""
    note(tmp_path / "one" / "Ana - Blue.wav", 0)
    note(tmp_path / "two" / "Bob - Red.wav", 5)
    run(tmp_path / "one", genre_from="folder", licence="cc-by-4.0")
    run(tmp_path / "two", genre_from="folder")
    assert set(rows(engine, LABELS)) == {("Blue", "one", "cc-by-4.0"), ("Red", "two", "unknown")}
    assert dict(rows(engine, FEATURES)) == {"Blue": "cc-by-4.0", "Red": None}
    again = run(tmp_path / "two", genre_from="folder", licence="cc0")
    assert (again.unchanged, again.relabelled) == (1, 0)
    assert set(rows(engine, LABELS)) == {("Blue", "one", "cc-by-4.0"), ("Red", "two", "cc0")}
    assert dict(rows(engine, FEATURES)) == {"Blue": "cc-by-4.0", "Red": "cc0"}


def test_each_track_of_fma_has_its_licence(engine: Engine, tmp_path: Path) -> None:
    """One that has none has that of the dataset; one that cannot be read is unknown."""
    folder = fma_tables.write(tmp_path / "fma_metadata")
    import_fma(context_of(engine), folder)
    licences = {(title, licence) for title, _, licence in rows(engine, LABELS)}
    assert licences == {
        ("Food", "cc-by-nc-sa-3.0"),
        ("Electric Ave", "cc-by-4.0"),
        ("Freeway", "cc-by-nc-nd-3.0"),
        ("Spiritual Level", "unknown"),
    }


def test_the_tags_of_mtg_jamendo_have_its_licence(engine: Engine, tmp_path: Path) -> None:
    """The table is known by its header, whatever its name."""
    lines = (
        "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS",
        "track_0000214\tartist_000014\talbum_000031\t14/214.mp3\t124.6\tgenre---punkrock",
    )
    path = tmp_path / "tags.tsv"
    path.write_text("\n".join(lines) + "\n")
    run_dataset(engine, path)
    assert [row[1:] for row in rows(engine, LABELS)] == [("punkrock", "cc-by-nc-sa-4.0")]
