"""FMA's tables and tables of descriptors, as they were published."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sqlalchemy import Engine, func, select

from collector.datasets.column_roles import columns
from collector.imports.dataset import import_dataset
from collector.imports.fma import import_fma
from collector.imports.records import ImportResult
from genrebase.audio import descriptors, packed_vectors
from genrebase.errors import UserError
from genrebase.runtime.console import Output
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction
from tests import fma_tables
from tests.consistency import assert_consistent
from tests.filled_database import contents
from tests.import_runs import context_of

Run = Callable[..., ImportResult]


@pytest.fixture
def run(engine: Engine) -> Run:
    """Import a folder, or a table of descriptors."""

    def run(path: Path, **options: object) -> ImportResult:
        use_case = import_fma if path.is_dir() else import_dataset
        subset = {"subset": options.pop("subset")} if "subset" in options else {}
        with Output(as_json=True).progress("x") as advance:
            return use_case(context_of(engine, advance, **options), path, **subset)

    return run


def rows(engine: Engine, query: object) -> list[tuple[object, ...]]:
    with read_transaction(engine) as connection:
        return [tuple(row) for row in connection.execute(query)]


def test_fma_becomes_tracks_with_genres_and_split(engine: Engine, run: Run, tmp_path: Path):
    """The top genre is the claim, all others are sightings, the split is kept."""
    result = run(fma_tables.write(tmp_path / "fma_metadata"))
    assert (result.rows, result.tracks_new, result.rejected) == (6, 5, 1)
    assert (result.reasons, result.unlabelled, result.described) == ({"no name": 1}, 1, 3)
    track, genre = tables.track, tables.genre
    query = select(
        track.c.title, track.c.artists, track.c.split, track.c.release_year, track.c.duration_ms,
        genre.c.name,
    ).outerjoin(genre, genre.c.id == track.c.genre_id)  # fmt: skip
    stored = {row[0]: row[1:] for row in rows(engine, query)}
    assert stored["Food"] == ("AWOL", "training", 2009, 168_000, "Hip-Hop")
    assert stored["Electric Ave"][1::3] == ("validation", "Hip-Hop")
    assert stored["Freeway"] == ("Kurt Vile", "test", None, 161_000, "Rock")
    assert stored["Untold"] == ("Nobody", "test", None, None, None)
    sighted = select(views.track_genres.c.genre, tables.track.c.title).join(
        tables.track, tables.track.c.id == views.track_genres.c.track_id
    )
    by_title: dict[str, set[str]] = {}
    for name, title in rows(engine, sighted):
        by_title.setdefault(title, set()).add(name)
    assert by_title["Freeway"] == {"Rock", "Punk", "Loud-Rock"}
    assert by_title["Spiritual Level"] == {"Punk", "Rock", "Hip-Hop"}
    mapping = select(tables.genre_mapping.c["fine", "broad"]).where(
        tables.genre_mapping.c.mapping == "fma"
    )
    assert dict(rows(engine, mapping))["Punk"] == "Rock"
    with read_transaction(engine) as connection:
        assert_consistent(connection)


def test_fma_features_have_our_names(engine: Engine, run: Run, tmp_path: Path):
    """The columns are renamed and sorted; each track has its own values."""
    run(fma_tables.write(tmp_path / "fma"))
    assert rows(engine, select(views.descriptor_schemas)) == [
        (descriptors.FMA_SCHEMA_NAME, list(descriptors.FMA_COLUMNS))
    ]
    alias, described = tables.track_alias, tables.descriptor
    query = select(alias.c.source_id, described.c.provider, described.c.data).join(
        described, described.c.track_id == alias.c.track_id
    )
    values = {
        number: (provider, packed_vectors.unpack(data, 518))
        for number, provider, data in rows(engine, query)
    }
    assert values.keys() == {"2", "3", "10"}
    provider, three = values["3"]
    assert provider == "fma"
    assert three[[0, 1, 517]] == pytest.approx([3.0, 3.001, 3.517])
    assert math.isnan(values["2"][1][0])


def test_a_subset_leaves_the_rest_out(engine: Engine, run: Run, tmp_path: Path):
    """Medium contains small; features of other tracks are skipped."""
    result = run(fma_tables.write(tmp_path / "fma"), subset="medium")
    assert (result.tracks_new, result.described) == (2, 2)
    with pytest.raises(UserError, match="no subset 'tiny'"):
        run(tmp_path / "fma", subset="tiny")


def test_a_repeated_import_changes_nothing(engine: Engine, run: Run, tmp_path: Path):
    """Importing again changes nothing."""
    folder = fma_tables.write(tmp_path / "fma")
    run(folder)
    before = contents(engine)
    again = run(folder)
    assert (again.tracks_new, again.duplicates, again.described) == (0, 5, 3)
    after = contents(engine)
    for changed in ("job_run", "descriptor"):  # both tell when
        before.pop(changed), after.pop(changed)
    assert after == before


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("tracks.csv", "id,title\n1,x\n", "it lacks track.title, artist.name, track.genre_top"),
        ("features.csv", "track_id,mfcc\n2,1\n", "not feature, statistics and number"),
        ("genres.csv", "id,name\n1,Rock\n", "genre_id, title, top_level"),
    ],
)
def test_other_tables_are_refused(
    engine: Engine, run: Run, tmp_path: Path, name: str, text: str, message: str
):
    """Before anything is written, with the reason."""
    folder = fma_tables.write(tmp_path / "fma")
    (folder / name).write_text(text)
    with pytest.raises(UserError, match=message):
        run(folder)
    assert rows(engine, select(tables.track.c.id)) == []


HEADER = (
    "filename,length,chroma_mean,chroma_var,rms_mean,rms_var,tempo,mfcc1_mean,mfcc2_mean,label"
)


def gtzan(path: Path, *more: str, header: str = HEADER) -> Path:
    plain = [
        f"{genre}.0000{n}.wav,661794,0.{n},0.1,0.2,0.3,120.5,-{n},5.5,{genre}"
        for genre in ("blues", "rock")
        for n in range(3)
    ]
    path.write_text("\n".join((header, *plain, *more)) + "\n")
    return path


def test_a_table_with_titles_or_few_numbers_is_a_table_of_tracks(
    engine: Engine, run: Run, tmp_path: Path
):
    """A table of descriptors names files and has at least eight columns of numbers."""
    titled = gtzan(tmp_path / "b.csv", header=HEADER.replace("length", "title"))
    with pytest.raises(columns.ColumnsMissing, match="no column for an artist"):
        run(titled)
    (tmp_path / "c.csv").write_text("filename,label\nx.wav,rock\n")
    with pytest.raises(columns.ColumnsMissing, match="no column for a title"):
        run(tmp_path / "c.csv")
    assert rows(engine, select(views.descriptor_schemas)) == []


def test_gtzan_becomes_tracks_with_descriptors(engine: Engine, run: Run, tmp_path: Path):
    """Named by their files, labelled, with every column of numbers as a descriptor."""
    path = gtzan(
        tmp_path / "gtzan_30_sec.csv",
        "x.wav,661794,?,0.1,0.2,0.3,120.5,1,5.5,rock",
        ",1,1,1,1,1,1,1,1,rock",
        "short.wav,1",
    )
    result = run(path)
    assert (result.rows, result.tracks_new, result.duplicates, result.rejected) == (9, 7, 0, 2)
    assert result.reasons == {"no name": 1, "wrong number of columns": 1}
    assert (result.unreadable, result.described) == ({"chroma_mean": 1}, 7)
    assert rows(engine, select(views.descriptor_schemas)) == [
        ("gtzan_30_sec", HEADER.split(",")[1:-1])
    ]
    query = (
        select(views.tracks.c["title", "claim", "origin"], tables.descriptor.c["data"])
        .join(tables.descriptor, tables.descriptor.c.track_id == views.tracks.c.track_id)
        .order_by(views.tracks.c.title)
    )
    first = rows(engine, query)[1]
    assert first[:3] == ("blues.00001.wav", "blues", "csv:gtzan_30_sec.csv")
    expected = [661794, 0.1, 0.1, 0.2, 0.3, 120.5, -1, 5.5]
    assert packed_vectors.unpack(first[3], 8).tolist() == pytest.approx(expected)
    again = run(path)
    assert (again.tracks_new, again.duplicates) == (0, 7)
    assert rows(engine, select(func.sum(tables.sighting.c.times))) == [(7,)]
    with read_transaction(engine) as connection:
        assert_consistent(connection)


def test_a_set_keeps_its_columns(engine: Engine, run: Run, tmp_path: Path):
    """A table with the name of a stored schema, but other columns, is refused."""
    run(gtzan(tmp_path / "gtzan.csv"))
    other = HEADER.replace("tempo", "speed")
    with pytest.raises(UserError, match="'gtzan' are stored with other columns"):
        run(gtzan(tmp_path / "gtzan.csv", header=other))


def pieces(path: Path, pattern: str, more_columns: str = "", recordings: int = 15) -> Path:
    """Write a table of ten pieces of each recording; the values are noise around one point."""
    random = np.random.default_rng(3)
    header = f"filename,{more_columns}" + ",".join(f"f{n}" for n in range(9)) + ",label"
    lines = [header]
    for number in range(3 * recordings):
        genre = ("blues", "jazz", "rock")[number % 3]
        centre = random.random(9)
        for piece in range(10):
            values = ",".join(f"{value:.4f}" for value in centre + random.normal(0, 0.02, 9))
            name = pattern.format(genre=genre, number=number, piece=piece, end=piece + 1)
            lines.append(f"{name},{values},{genre}")
    path.write_text("\n".join(lines) + "\n")
    return path


def sides(engine: Engine) -> list[tuple[object, ...]]:
    """Per match key: tracks, different folds, different sides."""
    track = tables.track.c
    return rows(
        engine,
        select(
            func.count(),
            func.count(track.track_fold.distinct()),
            func.count(track.side.distinct()),
        ).group_by(track.name_key),
    )


PIECES = (
    ("{genre}.{number:05}.{piece}.wav", ""),
    ("{number:06}_{piece}.wav", ""),
    ("{genre}{number}-seg{piece}.wav", ""),
    ("{genre}.{number:05}_{piece}-{end}s.wav", ""),
    ("{genre}.{number:05}.wav,{piece}", "segment,"),
    ("{genre}.{number:05}.wav,{piece}.0,{end}.0", "start,end,"),
    ("{genre}.{number:05}.wav", ""),
)
"""Names of pieces, and columns that number them; no SQL depends on them."""


@pytest.mark.parametrize(
    ("database_url", "pattern", "more_columns"),
    [
        *(("sqlite", *one) for one in PIECES),
        *(("postgresql", *one) for one in PIECES[::6]),
    ],
    indirect=["database_url"],
)
def test_pieces_of_a_recording_share_side_and_fold(
    engine: Engine, run: Run, tmp_path: Path, pattern: str, more_columns: str
):
    """Whether names, columns or values alone tell the pieces apart; an import may be repeated."""
    path = pieces(tmp_path / "features_3_sec.csv", pattern, more_columns)
    result = run(path)
    assert (result.tracks_new, result.duplicates, result.described) == (450, 0, 450)
    assert len(result.warnings) == 1
    assert "pieces" in result.warnings[0]
    assert sides(engine) == [(10, 1, 1)] * 45
    assert rows(engine, select(views.descriptor_schemas.c["columns"])) == [
        ([f"f{n}" for n in range(9)],)
    ]
    again = run(path)
    assert (again.tracks_new, again.duplicates) == (0, 450)
    with read_transaction(engine) as connection:
        assert_consistent(connection)


def test_noise_is_not_predicted(engine: Engine, run: Run, tmp_path: Path):
    """Pieces on several sides gave nearest neighbours an accuracy of 1.000 on noise."""
    run(pieces(tmp_path / "noise.csv", "{genre}.{number:05}.{piece}.wav", recordings=60))
    features, labels, is_train = [], [], []
    track, genre, values = tables.track, tables.genre, tables.descriptor.c
    query = (
        select(values.data, genre.c.name, track.c.side)
        .join(track, track.c.id == values.track_id)
        .join(genre, genre.c.id == track.c.genre_id)
    )
    for data, name, side in rows(engine, query):
        features.append(packed_vectors.unpack(data, 9))
        labels.append(name)
        is_train.append(side == "train")
    train = np.array(is_train)
    model = KNeighborsClassifier(1).fit(np.array(features)[train], np.array(labels)[train])
    accuracy = model.score(np.array(features)[~train], np.array(labels)[~train])
    assert 0.1 < accuracy < 0.6


def test_pieces_and_the_whole_recording_share_a_fold(engine: Engine, run: Run, tmp_path: Path):
    """GTZAN's table of 30 seconds beside that of three."""
    run(pieces(tmp_path / "features_3_sec.csv", "{genre}.{number:05}.{piece}.wav"))
    run(gtzan(tmp_path / "features_30_sec.csv"))
    by_key = rows(
        engine,
        select(func.count()).where(tables.track.c.name_key == "blues.00000.wav|"),
    )
    assert by_key == [(11,)]


def test_repeated_rows_of_a_file_are_duplicates(engine: Engine, run: Run, tmp_path: Path):
    """Only rows that differ are pieces."""
    line = "x.wav,661794,0.5,0.1,0.2,0.3,120.5,1,5.5,rock"
    result = run(gtzan(tmp_path / "twice.csv", line, line))
    assert (result.tracks_new, result.duplicates) == (7, 1)


def test_stored_pieces_keep_their_folds(engine: Engine, run: Run, tmp_path: Path):
    """Pieces that were stored as whole recordings do not move; the import reports them."""
    path = pieces(tmp_path / "old.csv", "{genre}.{number:05}.{piece}.wav")
    run(path)
    with engine.begin() as connection:
        connection.execute(
            tables.track.update().values(
                name_key=tables.track.c.title + "|", identity=tables.track.c.title + "|"
            )
        )
    stored = select(tables.track.c["id", "name_key", "track_fold"]).order_by(tables.track.c.id)
    before = rows(engine, stored)
    result = run(path)
    assert result.tracks_new == 0
    assert result.warnings[-1].startswith("450 pieces of recordings were stored before")
    assert rows(engine, stored) == before
