"""Tables in every spelling of one truth are read back equal."""

import csv
import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from collector.datasets import reader
from collector.datasets.column_roles import columns
from collector.datasets.credits import survey_credits
from collector.datasets.rows import ParsedRow, RowParser
from collector.datasets.scales.scale_inference import infer_scales
from collector.datasets.survey import survey_table

ARTISTS = (
    *("Ana", "Bo Lind", "Tyler, The Creator", "Earth, Wind & Fire", "AC/DC", "Ana's Band"),
    *('Weird "Al"', "[spunge]", "(G)I-DLE", "夜", "Café Tacvba", "Sunn O)))", "b'day", "Cy & Di"),
    *("Björk", "C|D", "nan", "O'Neill \\ Sons", "1975"),
)
GENRES = ("pop", "dance pop", "r&b", "hip-hop/rap", "música", "演歌", "folk, world", "rock'n'roll")
MISSING = ("", "[]", "\\N", "#N/A", "(null)", "set()", "{}", "nan", "None", "null", "[nan]")


def spotify_id(number: int) -> str:
    return f"{number:021d}x"


@dataclass(frozen=True)
class Truth:
    """One row."""

    number: int
    artists: tuple[str, ...]
    genres: tuple[str, ...]

    @property
    def artist_ids(self) -> tuple[str, ...]:
        return tuple(spotify_id(ARTISTS.index(name)) for name in self.artists)


def as_dicts(row: Truth) -> list[dict[str, str]]:
    pairs = zip(row.artists, row.artist_ids, strict=True)
    return [{"id": id_, "name": name} for name, id_ in pairs]


def numpy_print(items: Sequence[Any]) -> str:
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return str(array)


LISTS: Mapping[str, Callable[[Sequence[str]], str]] = {
    "python": lambda items: repr(list(items)),
    "tuple": lambda items: repr(tuple(items)),
    "json": lambda items: json.dumps(items, ensure_ascii=False),
    "escaped json": json.dumps,
    "numpy": numpy_print,
    "numpy strings": lambda items: f"[{', '.join(f'np.str_({item!r})' for item in items)}]",
    "array": lambda items: f"array({list(items)!r}, dtype=object)",
    "bytes": lambda items: repr([item.encode() for item in items]),
}
CREDITS: Mapping[str, Callable[[Truth], dict[str, str]]] = {
    **{
        name: lambda row, spell=spell: {
            "artists": spell(row.artists),
            "artist_ids": spell(row.artist_ids),
        }
        for name, spell in LISTS.items()
    },
    "dicts": lambda row: {"artists": repr(as_dicts(row))},
    "json objects": lambda row: {"artists": json.dumps(as_dicts(row))},
    "numpy of dicts": lambda row: {"artists": numpy_print(as_dicts(row))},
    "exportify": lambda row: {
        "Artist URI(s)": ", ".join(f"spotify:artist:{id_}" for id_ in row.artist_ids),
        "Artist Name(s)": ", ".join(row.artists),
    },
    "old exportify": lambda row: {
        "Artist URI": ", ".join(f"spotify:artist:{id_}" for id_ in row.artist_ids),
        "Artist Name": ", ".join(name.replace(",", "\\,") for name in row.artists),
    },
}
GENRE_CELLS: Mapping[str, Callable[[Sequence[str]], str]] = {
    **LISTS,
    "semicolons": "; ".join,
    "pipes": "|".join,
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[Truth], str, str, str]:
    """Draw a truth and the spellings of its credits, its genres and its file."""
    artists = st.lists(st.sampled_from(ARTISTS), min_size=1, max_size=3, unique=True).map(tuple)
    genres = st.lists(st.sampled_from(GENRES), max_size=3, unique=True).map(tuple)
    drawn = draw(st.lists(st.tuples(artists, genres), min_size=3, max_size=8))
    alone = [((name,), ()) for name in ARTISTS]  # by these rows names are split that hold commas
    rows = [Truth(number, *row) for number, row in enumerate([*drawn, *alone])]
    spellings = (CREDITS, GENRE_CELLS, WRITERS)
    return (rows, *(draw(st.sampled_from(sorted(spelling))) for spelling in spellings))


def write_csv(path: Path, table: Mapping[str, list[str]], delimiter: str) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))


def write_gzip(path: Path, table: Mapping[str, list[str]]) -> None:
    write_csv(path, table, ",")
    path.write_bytes(gzip.compress(path.read_bytes()))


def objects(table: Mapping[str, list[str]]) -> list[dict[str, str]]:
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


def write_json_lines(path: Path, table: Mapping[str, list[str]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in objects(table)), "utf-8")


WRITERS: Mapping[str, Callable[[Path, Mapping[str, list[str]]], object]] = {
    "commas": lambda path, table: write_csv(path, table, ","),
    "semicolons": lambda path, table: write_csv(path, table, ";"),
    "tabs": lambda path, table: write_csv(path, table, "\t"),
    "gzip": write_gzip,
    "parquet": lambda path, table: parquet.write_table(pa.table(dict(table)), path),
    "json": lambda path, table: path.write_text(json.dumps(objects(table)), "utf-8"),
    "json lines": write_json_lines,
}


def read(path: Path) -> list[tuple[str, tuple[str, ...], tuple[str | None, ...], tuple[str, ...]]]:
    """Return title, artists, their ids and genres of every row, as an import has them."""
    with reader.open_dataset(path) as dataset:
        summary = survey_table(dataset)
        layout = columns.find_columns(dataset.header, survey=summary)
        numbers = infer_scales(layout, summary, 2027).parser
        found = survey_credits(dataset.rows, layout, summary)
        parser = RowParser(layout, "csv:x", numbers, credit_names=found)
        parsed = [parser.parse(row) for row in dataset.rows()]
    assert not parser.unreadable_cells.total()
    rows = [row for row in parsed if isinstance(row, ParsedRow)]
    return [
        (
            row.track.title,
            tuple(credit.name for credit in row.track.artists),
            tuple(credit.source_id for credit in row.track.artists),
            row.genres,
        )
        for row in rows
    ]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tables(), st.sampled_from(MISSING))
def test_every_spelling_of_a_truth_is_read_back_equal(tmp_path, drawn, missing):
    """Credits, their ids, genres and their order; no name is glued, lost or divided."""
    rows, credits_, genres, writer = drawn
    cells = [
        {
            "track_id": f"spotify:track:{spotify_id(row.number)}",
            "track_name": f"Song {row.number}",
            **CREDITS[credits_](row),
            "genre": GENRE_CELLS[genres](row.genres) if row.genres else missing,
        }
        for row in rows
    ]
    path = tmp_path / "table"
    WRITERS[writer](path, {name: [row[name] for row in cells] for name in cells[0]})
    expected = [(f"Song {row.number}", row.artists, row.artist_ids, row.genres) for row in rows]
    assert read(path) == expected


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tables())
def test_lists_and_structs_of_parquet_are_read_back_equal(tmp_path, drawn):
    """Nested columns, and the same as objects of JSON."""
    rows, *_, writer = drawn
    table = {
        "id": [spotify_id(row.number) for row in rows],
        "name": [f"Song {row.number}" for row in rows],
        "artists": [as_dicts(row) for row in rows],
        "genres": [list(row.genres) or None for row in rows],
    }
    path = tmp_path / "table"
    if "json" in writer:
        path.write_text(json.dumps(objects(table)), "utf-8")
    else:
        parquet.write_table(pa.table(table), path)
    expected = [(f"Song {row.number}", row.artists, row.artist_ids, row.genres) for row in rows]
    assert read(path) == expected
