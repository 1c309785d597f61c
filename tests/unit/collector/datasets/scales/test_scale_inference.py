"""Numbers of a whole table: the column is inferred before its cells."""

from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.datasets import reader
from collector.datasets.column_roles import columns
from collector.datasets.rows import RowParser
from collector.datasets.scales.scale_inference import infer_scales
from collector.datasets.survey import survey_table
from genrebase.errors import UserError


class Read(NamedTuple):
    """What was read, and what was not."""

    tracks: list[Any]
    notes: list[str]
    unreadable: dict[str, int]
    out_of_range: dict[str, int]
    without_beat: dict[str, int]


def read_file(path, units=None):
    """Read a table as an import does."""
    with reader.open_dataset(path) as dataset:
        summary = survey_table(dataset)
        layout = columns.find_columns(dataset.header, survey=summary)
        inferred = infer_scales(layout, summary, 2027, units)
        parser = RowParser(layout, "csv:table.csv", inferred.parser)
        tracks = [parser.parse(row).track for row in dataset.rows()]
        numbers = inferred.parser
        counted = [
            {dataset.header[at]: n for at, n in counter.items() if n}
            for counter in (numbers.unreadable, numbers.out_of_range, numbers.without_beat)
        ]
    return Read(tracks, [note.rstrip(".") for note in inferred.notes], *counted)


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a CSV text as an import does."""

    def read_table(text, units=None):
        path = tmp_path / "table.csv"
        path.write_text(text, encoding="utf-8")
        return read_file(path, units)

    return read_table


@pytest.fixture
def column(read):
    """Return a function that reads one column, and what became of it."""

    def read_column(name, *cells, units=None, beside=None):
        """Read cells under `name`; `beside` are other columns by name."""
        names = ["title", "artist", name, *(beside or {})]
        rows = zip(cells, *(beside or {}).values(), strict=True)
        lines = ["\t".join(names)]
        lines += ["\t".join((f"T{n}", "A", *row)) for n, row in enumerate(rows)]
        return read("\n".join(lines) + "\n", units)

    return read_column


def values(result, field):
    """Return one feature of every track, None where there is none."""
    return [
        None if track.features is None else getattr(track.features, field)
        for track in result.tracks
    ]


def durations(result):
    return [track.duration_ms for track in result.tracks]


def dates(result):
    return [track.release_date for track in result.tracks]


# percent and thousandths


def test_percent(read):
    """Acousticness of 1 beside an energy of 83 is one percent."""
    result = read(
        "track_name,artist_name,genre,energy,danceability,acousticness\n"
        "Blue,Ana,pop,83,70,1\nRed,Bo,pop,40,55,0\nTan,Cy,pop,61,100,2\n"
    )
    assert values(result, "energy") == [0.83, 0.4, 0.61]
    assert values(result, "danceability") == [0.7, 0.55, 1.0]
    assert values(result, "acousticness") == [0.01, 0.0, 0.02]
    assert result.notes == [
        f"{name}: 0 to 100, divided by 100" for name in ("energy", "danceability", "acousticness")
    ]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("valence", ["83.5", "7.25", "0.5"]),
        ("valence_%", ["83.5", "7.25", "0.5"]),
        ("Valence (%)", ["83.5", "7.25", "0.5"]),
        ("Valence.", ["83.5 %", "7.25 %", "0.5 %"]),
        ("valence", ["83.5%", "7.25%", "0.5%"]),
    ],
)
def test_percent_in_its_spellings(column, name, cells):
    """By the numbers, by the name or by a sign: 83.5 percent is 0.835, to the last digit."""
    result = column(name, *cells)
    assert values(result, "valence") == [0.835, 0.0725, 0.005]
    assert result.notes == [f"{name}: 0 to 100, divided by 100"]


def test_a_column_of_zeros_and_ones_beside_percent_is_percent(column):
    """It would be all acoustic otherwise."""
    result = column("acousticness", "1", "0", "1", beside={"energy": ["83", "12", "55"]})
    assert values(result, "acousticness") == [0.01, 0.0, 0.01]


def test_zeros_and_ones_beside_fractions_are_fractions(column):
    """As they were."""
    result = column("instrumentalness", "1", "0", "1", beside={"energy": ["0.83", "0.1", "0.5"]})
    assert values(result, "instrumentalness") == [1.0, 0.0, 1.0]
    assert result.notes == []


@pytest.mark.parametrize(
    "cells",
    [
        ["1", "5", "3", "4"],  # a rating
        ["7.5", "9.25", "0.5", "3.5"],  # of ten
        ["543", "61", "987", "123"],  # 0.543 and 0.61 without their points
        ["-1.25", "0.5", "0.75", "0.1"],  # standardised
        ["120", "255", "13", "80"],  # to 255
        ["5000", "61000", "98700", "12300"],
    ],
)
def test_a_scale_that_is_not_certain_is_not_taken(column, cells):
    """Also not the cells that happen to fit."""
    result = column("energy", *cells)
    assert values(result, "energy") == [None] * 4
    assert len(result.notes) == 1
    assert result.notes[0].startswith("energy: ")
    assert result.notes[0].endswith("column not taken")
    assert not result.unreadable
    assert not result.out_of_range


def test_a_column_of_zeros_is_no_measurement(column):
    """The Million Song Dataset has no other danceability; instrumentalness may be 0."""
    zeros = ["0.0"] * 30
    result = column("danceability", *zeros, beside={"instrumentalness": zeros})
    assert values(result, "danceability") == [None] * 30
    assert values(result, "instrumentalness") == [0.0] * 30
    assert result.notes == ["danceability: every number is 0: column not taken"]


def test_zeros_are_no_evidence_against_percent(column):
    """0 is the same on every scale."""
    result = column("energy", "0.0", "0", "98.7", "0.0")
    assert values(result, "energy") == [0.0, 0.0, 0.987, 0.0]
    assert result.notes == ["energy: 0 to 100, divided by 100"]


@pytest.mark.parametrize("name", ["duration_ms", "duration", "length"])
def test_durations_of_a_day_are_in_another_unit(column, name):
    """225,000,000 are microseconds, whatever the name says."""
    result = column(name, "225000000", "215000000", "", "195000000")
    assert durations(result) == [None] * 4
    assert result.notes == [f"{name}: in no unit that is certain, name it: column not taken"]


def test_thousandths(column):
    """Multiples of ten are left where every number lost its point."""
    result = column("liveness", "543", "610", "83", "1000")
    assert values(result, "liveness") == [0.543, 0.61, 0.083, 1.0]
    assert result.notes == ["liveness: without decimal points, divided by 1,000"]


def test_half_of_the_names_of_keys_have_a_mode(column):
    """`Am` names one, `C` does not."""
    result = column("key", "Am", "C")
    assert (values(result, "key"), values(result, "mode")) == ([9, 0], [0, None])


def test_the_mode_of_the_key_beside_an_empty_column_of_modes(column):
    """The names of the keys have it."""
    result = column("key", "8B", "5A", beside={"mode": ["", ""]})
    assert values(result, "mode") == [1, 0]


def test_fractions_and_percent_in_one_column_are_not_taken(column):
    """0.83 may be 0.83 percent."""
    result = column("energy", "0.83", "40", "0.61", "55")
    assert values(result, "energy") == [None] * 4


def test_few_cells_out_of_range_are_left_empty(column):
    """The others are as they were."""
    result = column("energy", "0.5", "0.25", "17", "-3", "0.75")
    assert values(result, "energy") == [0.5, 0.25, None, None, 0.75]
    assert (result.out_of_range, result.notes) == ({"energy": 2}, [])


def test_columns_beside_a_rescaled_tempo(column):
    """A danceability from 0 to 1 exactly was rescaled like the tempo."""
    result = column(
        "tempo",
        *("0", "0.4", "0.7", "1"),
        beside={
            "danceability": ["0.2", "0", "1", "0.6"],
            "energy": ["0.2", "0.1", "0.9", "0.6"],
        },
    )
    assert values(result, "tempo") == values(result, "danceability") == [None] * 4
    assert values(result, "energy") == [0.2, 0.1, 0.9, 0.6]
    assert [note.split(":")[0] for note in result.notes] == ["tempo", "danceability"]


# loudness, tempo, popularity


def test_loudness_without_a_point_beside_one_that_has_it(read):
    """Half of the column fits: the other is counted."""
    result = read(
        "Title,Artists,Loudness,id\nA,a,-5176.0,0aaaaaaaaaaaaaaaaaaaa1\n"
        "B,b,-4.84,0aaaaaaaaaaaaaaaaaaaa2\n"
    )
    assert values(result, "loudness") == [None, -4.84]
    assert (result.out_of_range, result.notes) == ({"Loudness": 1}, [])


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["-5.2", "-12.75", "1.5", "-7"], [-5.2, -12.75, 1.5, -7.0]),
        (["-5.2 dB", "-12.75 dB", "-3 dB", "-7 dB"], [-5.2, -12.75, -3.0, -7.0]),
        (["−5.2", "−12.75", "−3", "−7"], [-5.2, -12.75, -3.0, -7.0]),
        (["-5176", "-4840", "-12034", "-7000"], [-5.176, -4.84, -12.034, -7.0]),
        (["5.2", "12.75", "3.5", "7"], [-5.2, -12.75, -3.5, -7.0]),
        (["0.1", "0.9", "0.5", "0"], None),
        (["-1.2", "0.4", "1.5", "-0.3"], None),
        (["-5176", "-484", "-12034", "-7000.5"], None),
        (["70", "85", "64", "90"], None),
        (["5.2", "7.5", "3.5", "7"], None),
    ],
)
def test_loudness(column, cells, expected):
    """Decibels are negative; without signs only where no other scale has such numbers."""
    result = column("loudness", *cells)
    assert values(result, "loudness") == (expected or [None] * 4)
    assert (expected is None) == (
        "loudness: " in "".join(result.notes) and "not taken" in "".join(result.notes)
    )


@pytest.mark.parametrize(
    ("name", "cells", "expected"),
    [
        ("Tempo (BPM)", ["120", "99.5", "80"], [120.0, 99.5, 80.0]),
        ("Beats.Per.Minute", ["120 bpm", "99.5 bpm", "80 bpm"], [120.0, 99.5, 80.0]),
        ("tempo", ["120500", "99000", "80250"], [120.5, 99.0, 80.25]),
        ("tempo", ["120,500", "99,000", "80,250"], [120.5, 99.0, 80.25]),
        ("tempo", ["0.5", "-1.2", "2.5"], [None] * 3),
        ("tempo", ["0.5", "0.25", "1"], [None] * 3),
    ],
)
def test_tempo(column, name, cells, expected):
    """Beats per minute; never the few of another scale that fit."""
    assert values(column(name, *cells), "tempo") == expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["91", "0", "45.0"], [91, 0, 45]),
        (["0.91", "0", "0.45"], [91, 0, 45]),
        (["91%", "0%", "45%"], [91, 0, 45]),
        (["0.9123", "0", "0.4511"], [None] * 3),
        (["1.2", "-0.3", "0.4"], [None] * 3),
        (["912345", "18", "451100"], [None] * 3),
        (["91", "-1", "45", "101"], [91, None, 45, None]),
    ],
)
def test_popularity(column, cells, expected):
    """0 to 100, or hundredths."""
    result = column("popularity", *cells)
    assert [track.popularity for track in result.tracks] == expected


# key, mode, meter


def test_key_mode_and_meter_in_words(read):
    """`C#` is 1, `A` is 9; a meter has beats."""
    result = read(
        "track_name,artist_name,genre,key,mode,time_signature\n"
        "Blue,Ana,pop,C#,Major,4/4\nRed,Bo,pop,A,Minor,3/4\n"
    )
    assert values(result, "key") == [1, 9]
    assert values(result, "mode") == [1, 0]
    assert values(result, "time_signature") == [4, 3]
    assert not result.unreadable


@pytest.mark.parametrize(
    ("name", "cells", "keys", "modes"),
    [
        ("key", ["C♯/D♭", "B♭", "E"], [1, 10, 4], [None] * 3),
        ("Key", ["A Minor", "Bb major", "F# Minor"], [9, 10, 6], [0, 1, 0]),
        ("key", ["Am", "Ebm", "G"], [9, 3, 7], [0, 0, None]),
        ("key", ["8B", "8A", "11A"], [0, 9, 6], [1, 0, 0]),
        ("key", ["1d", "1m", "4m"], [0, 9, 6], [1, 0, 0]),
        ("key", ["H", "B", "Cis-Moll"], [11, 10, 1], [None] * 3),
        ("key", ["0", "-1", "11.0"], [0, None, 11], [None] * 3),
        ("key", ["0.0", "0.545454", "1.0"], [None] * 3, [None] * 3),
        ("key", ["1", "12", "7"], [None] * 3, [None] * 3),
        ("key", ["C", "x", "y", "z"], [None] * 4, [None] * 4),
    ],
)
def test_keys(column, name, cells, keys, modes):
    """Names in the usual spellings, wheels of keys, numbers from 0 to 11."""
    result = column(name, *cells)
    assert values(result, "key") == keys
    assert values(result, "mode") == modes


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["maj", "min", "MAJOR"], [1, 0, 1]),
        (["Dur", "Moll", "Moll"], [1, 0, 0]),
        (["1", "0", "1.0"], [1, 0, 1]),
        (["1", "2", "1"], [None] * 3),
        (["0.8", "-1.2", "0.8"], [None] * 3),
    ],
)
def test_modes(column, cells, expected):
    """Words, or 0 and 1."""
    assert values(column("mode", *cells), "mode") == expected


def test_a_cell_that_holds_no_key_is_counted_once(column):
    """It holds neither key nor mode."""
    result = column("key", "A Minor", "?", "C Major")
    assert (result.unreadable, values(result, "mode")) == ({"key": 1}, [0, None, 1])


# durations


def test_minutes_among_milliseconds(read):
    """They are left empty and counted."""
    result = read(
        "track_name,artist_name,genre,duration_ms\n"
        "Blue,Ana,pop,3.74\nRed,Bo,pop,225000\nTan,Cy,pop,4.1\n"
    )
    assert durations(result) == [None, 225_000, None]
    assert result.out_of_range == {"duration_ms": 2}


@pytest.mark.parametrize(
    ("name", "cells", "expected"),
    [
        ("duration_ms", ["3.74", "4.1"], [224_400, 246_000]),
        ("duration_ms", ["225", "180.5"], [225_000, 180_500]),
        ("Track Duration (ms)", ["225000", "180500.4"], [225_000, 180_500]),
        ("Length (s)", ["225", "12"], [225_000, 12_000]),
        ("Duration (sec)", ["225000", "180500"], [225_000, 180_500]),
        ("duration_min", ["3.75", "0.5"], [225_000, 30_000]),
        ("Length", ["3:45", "1:02:03"], [225_000, 3_723_000]),
        ("duration", ["0:03:45", "00:04:05"], [225_000, 245_000]),
        ("duration_ms", ["3:45", "4:05"], [225_000, 245_000]),
        ("Length", ["225", "245"], [225_000, 245_000]),
        ("Length", ["225 s", "245 s"], [225_000, 245_000]),
        ("Length", ["3.75 min", "4.5 min"], [225_000, 270_000]),
        ("duration", ["225000", "245000"], [225_000, 245_000]),
        ("length", ["3,75", "4,80"], [225_000, 288_000]),
        ("Length", ["217", "201", "1,412"], [217_000, 201_000, 1_412_000]),
        ("Length", ["3:20:00", "3:45:00", "4:10:00"], [None] * 3),
        ("Length", ["3:20", "1:45:00", "4:10"], [200_000, 6_300_000, 250_000]),
        ("duration_ms", ["3.45", "4.1"], [None] * 2),
        ("duration_ms", ["3", "4"], [None] * 2),
        ("duration", ["0.5", "0.25"], [None] * 2),
        ("duration_s", ["0.5", "-1.25"], [None] * 2),
        ("duration", ["5", "7000000000"], [None] * 2),
    ],
)
def test_durations(column, name, cells, expected):
    """By the name's unit where the numbers agree with it, else by their size."""
    assert durations(column(name, *cells)) == expected


def test_minutes_and_seconds_with_a_point(column):
    """No decimal part is .60 or more: 3.45 is 3:45."""
    cells = [f"{minutes}.{seconds:02}" for minutes in (2, 3, 4) for seconds in range(0, 60, 5)]
    expected = [(m * 60 + s) * 1_000 for m in (2, 3, 4) for s in range(0, 60, 5)]
    result = column("duration_ms", *cells)
    assert durations(result) == expected
    assert result.notes == ["duration_ms: minutes and seconds by the size of the numbers"]


def test_minutes_among_seconds(column):
    """A part in another unit: only usual durations are certain."""
    result = column("duration_s", "225", "3.74", "180", "245")
    assert durations(result) == [225_000, None, 180_000, 245_000]
    assert result.out_of_range == {"duration_s": 1}
    assert "in several units" in result.notes[0]


# notation


def test_decimal_commas(read):
    """A German table: 215.000 are thousands."""
    result = read(
        "track_name;artist_name;genre;energy;tempo;duration_ms\n"
        "Blau;Ana;pop;0,543;120,5;215.000\nRot;Bo;pop;0,61;99,0;180.500\n"
    )
    assert values(result, "energy") == [0.543, 0.61]
    assert values(result, "tempo") == [120.5, 99.0]
    assert durations(result) == [215_000, 180_500]
    assert result.notes == ["Numbers with decimal commas: energy, tempo, duration_ms"]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["215,000", "180,500"], [215_000, 180_500]),
        (["215 000", "180\u202f500"], [215_000, 180_500]),
        (["215'000", "180'500"], [215_000, 180_500]),
        (["1,215,000.0", "180,500.5"], [1_215_000, 180_500]),
        (["1.215.000,0", "180.500,4"], [1_215_000, 180_500]),
    ],
)
def test_separated_thousands(column, cells, expected):
    """With any of the usual separators."""
    assert durations(column("duration_ms", *cells)) == expected


def test_percent_with_decimal_commas(column):
    """Both at once, to the last digit."""
    result = column("energy_%", "54,3", "7,25", "0,5")
    assert values(result, "energy") == [0.543, 0.0725, 0.005]


# dates


def test_a_year_of_zero_is_counted_once(read):
    """The column serves as date and as year."""
    result = read("Title,Artist Name,Year\nA,a,0\nB,b,0\nC,c,1999\n")
    assert [track.release_year for track in result.tracks] == [None, None, 1999]
    assert (result.out_of_range, result.unreadable) == ({"Year": 2}, {})


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["14/06/2019", "5/6/2019"], ["2019-06-14", "2019-06-05"]),
        (["06/14/2019", "5/6/2019"], ["2019-06-14", "2019-05-06"]),
        (["5/6/2019", "7/8/2020"], ["2019", "2020"]),
        (["14/06/2019", "06/15/2019", "5/6/2019"], ["2019-06-14", "2019-06-15", "2019"]),
        (["5.6.2019", "14.6.2019"], ["2019-06-05", "2019-06-14"]),
        (["2019/06/14", "Jan 5, 2019"], ["2019-06-14", "2019-01-05"]),
        (["2019-06-14T00:00:00Z", "2019-06"], ["2019-06-14", "2019-06"]),
        (["43630", "1999"], ["2019-06-14", "1999"]),
        (["43630", "43631"], ["2019-06-14", "2019-06-15"]),
        (["1560470400", "1560556800"], ["2019-06-14", "2019-06-15"]),
        (["1560470400000", "1560556800000"], ["2019-06-14", "2019-06-15"]),
        (["1999.0", "2001"], ["1999", "2001"]),
        (["0", "1899", "2999", "soon"], [None] * 4),
    ],
)
def test_dates(column, cells, expected):
    """The column decides whether the day or the month comes first."""
    assert dates(column("release_date", *cells)) == expected


def test_dates_that_are_not_certain_are_named(column):
    """Only their year is taken."""
    result = column("release_date", "5/6/2019", "6/6/2019", "2018-01-01")
    assert result.notes == [
        "release_date: day or month first is not certain: only the year of 1 date is taken"
    ]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["14-06-93", "15-07-19"], ["1993-06-14", "2019-07-15"]),
        (["93-06-14", "19-07-15"], ["1993-06-14", "2019-07-15"]),
        (["05-13-99", "05-06-19"], ["1999-05-13", "2019-05-06"]),
        (["14-Jun-19", "1-Feb-85"], ["2019-06-14", "1985-02-01"]),
    ],
)
def test_short_years_in_dates_with_hyphens(column, cells, expected):
    """A number above 31 decides for the whole column whether the year is first or last."""
    assert dates(column("release_date", *cells)) == expected


def test_short_years_of_unknown_place_are_not_taken(column):
    """`14-06-19` is of 2014 or 2019; the option decides."""
    cells = ("14-06-19", "15-07-20")
    result = column("release_date", *cells)
    assert (dates(result), result.unreadable) == ([None, None], {"release_date": 2})
    assert "year first or last is not certain: 2 dates" in result.notes[0]
    for order, expected in (
        ("day/month/year", ["2019-06-14", "2020-07-15"]),
        ("year/month/day", ["2014-06-19", "2015-07-20"]),
    ):
        assert dates(column("release_date", *cells, units={"release_date": order})) == expected


def test_dates_and_years_that_are_lost_are_counted(column):
    """Each column once."""
    result = column("release_date", "soon", "2999", "0", beside={"year": ["0", "1999", "2001"]})
    assert (result.unreadable, result.out_of_range) == (
        {"release_date": 1},
        {"release_date": 2, "year": 1},
    )
    assert [track.release_year for track in result.tracks] == [None, 1999, 2001]


# units that are given


def test_a_unit_can_be_given(column):
    """It beats what name and numbers say."""
    assert durations(column("Length", "7", "9", units={"length": "min"})) == [420_000, 540_000]
    named = column("Track Length", "7", "9", units={"Track Length": "min"})
    assert durations(named) == [420_000, 540_000]
    assert durations(column("Length", "7", "9", units={"duration": "s"})) == [7_000, 9_000]
    percent = column("energy", "0.5", "0.75", units={"energy": "percent"})
    assert values(percent, "energy") == [0.005, 0.0075]
    fraction = column("energy", "0.5", "1", "17", units={"energy": "fraction"})
    assert values(fraction, "energy") == [0.5, 1.0, None]
    order = {"release_date": "month/day/year"}
    assert dates(column("release_date", "5/6/2019", units=order)) == ["2019-05-06"]


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ({"length": "hours"}, "duration cannot be in 'hours': name one of ms, s, min"),
        ({"key": "s"}, "key has no unit that can be named"),
        ({"energy": "percent"}, "The table has no column of energy"),
        ({"release_date": "day/month/year"}, "The table has no column of release_date"),
        ({"release_date": "dmy"}, "name day/month/year or month/day/year or year/month/day"),
    ],
)
def test_a_unit_that_there_is_not_is_refused(column, units, message):
    """The message names those there are."""
    with pytest.raises(UserError, match=message) as refused:
        column("Length", "7", units=units)
    assert isinstance(refused.value, UserError)


def test_a_tempo_of_zero_is_counted(column):
    """So are the numbers that depend on it."""
    result = column(
        "tempo",
        *("0", "120.5"),
        beside={"danceability": ["0.0", "0.5"], "speechiness": ["0", "0.25"]},
    )
    assert values(result, "danceability") == [None, 0.5]
    assert result.out_of_range == {"tempo": 1}
    assert result.without_beat == {"danceability": 1, "speechiness": 1}


def test_a_clean_table_is_taken_as_it_is(column):
    """Without a message."""
    result = column(
        "energy",
        *("0.5", "1", "1e-05"),
        beside={
            "loudness": ["-5.2", "-60", "2.5"],
            "tempo": ["120.5", "60", "200"],
            "key": ["0", "11", "5"],
            "mode": ["1", "0", "1"],
            "duration_ms": ["4000", "225000", "5237295"],
            "popularity": ["0", "50", "100"],
            "year": ["1999", "2001", "2027"],
        },
    )
    assert values(result, "energy") == [0.5, 1.0, 1e-05]
    assert values(result, "loudness") == [-5.2, -60.0, 2.5]
    assert durations(result) == [4_000, 225_000, 5_237_295]
    assert result[1:] == ([], {}, {}, {})


# one truth in every spelling

PITCHES = ("C", "C#", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "Bb", "B")


def thousands(text, separator):
    """Write a whole number in groups of three digits."""
    return f"{int(text):,}".replace(",", separator)


def decimal(number, comma):
    """Write a number in thousandths with two decimals of percent, or the like."""
    return str(number).replace(".", "," if comma else ".")


SHARE_SPELLINGS = {
    "fraction": ("{}", lambda n: f"{n / 1000:.3f}"),
    "percent": ("{}", lambda n: f"{n / 10:.1f}"),
    "percent in the name": ("{}_%", lambda n: f"{n / 10:.1f}"),
    "percent sign": ("{}", lambda n: f"{n / 10:.1f} %"),
}
DURATION_SPELLINGS = {
    "ms": ("duration_ms", lambda s, _: str(s * 1000)),
    "grouped ms": ("duration_ms", lambda s, comma: thousands(s * 1000, "." if comma else ",")),
    "ms without a unit": ("duration", lambda s, _: str(s * 1000)),
    "s": ("Length (s)", lambda s, _: str(s)),
    "s as ms": ("duration_ms", lambda s, _: str(s)),
    "clock": ("Length", lambda s, _: f"{s // 60}:{s % 60:02}"),
    "long clock": ("Length", lambda s, _: f"00:{s // 60:02}:{s % 60:02}"),
    "seconds in words": ("length", lambda s, _: f"{s} sec"),
}
KEY_SPELLINGS = {
    "numbers": lambda key, mode: (str(key), str(mode)),
    "floats": lambda key, mode: (f"{key}.0", f"{mode}.0"),
    "names": lambda key, mode: (PITCHES[key], ("Minor", "Major")[mode]),
    "german modes": lambda key, mode: (PITCHES[key], ("Moll", "Dur")[mode]),
    "both in one": lambda key, mode: (f"{PITCHES[key]} {('minor', 'major')[mode]}", None),
    "wheel": lambda key, mode: (f"{wheel(key, mode)}{'AB'[mode]}", None),
}
METERS = {"number": "{}", "float": "{}.0", "meter": "{}/4"}


def wheel(key, mode):
    """Return the position of a key on the Camelot wheel: C major is 8, A minor is 8."""
    steps = (key if mode else key + 3) * 7
    return (steps + 7) % 12 + 1


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "energy": st.integers(0, 1000),
            "valence": st.integers(0, 1000),
            "loudness": st.integers(-40_000, -2_501),
            "tempo": st.integers(40_001, 220_000),
            "duration": st.integers(31, 1_199),
            "key": st.integers(0, 11),
            "mode": st.integers(0, 1),
            "meter": st.integers(3, 7),
        }
    ),
    min_size=2,
    max_size=30,
)


@given(
    ROWS,
    st.sampled_from(sorted(SHARE_SPELLINGS)),
    st.sampled_from(sorted(DURATION_SPELLINGS)),
    st.sampled_from(sorted(KEY_SPELLINGS)),
    st.sampled_from(sorted(METERS)),
    st.booleans(),
)
def test_one_truth_in_every_spelling(tmp_path_factory, rows, share, duration, key, meter, comma):
    """It is read back equal, and no cell is lost."""
    # what no reader could be certain of: most shares are under 1%, all are as long as clips
    above = [{**row, "energy": 987 - n, "valence": 876 - n} for n, row in enumerate(rows)]
    certain = {**above[0], "loudness": -5_123, "key": 0}
    rows = [*rows, *above, {**certain, "duration": 900 if rows[0]["duration"] < 450 else 100}]
    share_name, write_share = SHARE_SPELLINGS[share]
    duration_name, write_duration = DURATION_SPELLINGS[duration]
    table = []
    for row in rows:
        key_cell, mode_cell = KEY_SPELLINGS[key](row["key"], row["mode"])
        table.append(
            {
                share_name.format("energy"): decimal(write_share(row["energy"]), comma),
                share_name.format("valence"): decimal(write_share(row["valence"]), comma),
                "Loudness (dB)": decimal(f"{row['loudness'] / 1000:.3f}", comma),
                "BPM": decimal(f"{row['tempo'] / 1000:.3f}", comma),
                duration_name: write_duration(row["duration"], comma),
                "key": key_cell,
                **({} if mode_cell is None else {"mode": mode_cell}),
                "time_signature": METERS[meter].format(row["meter"]),
            }
        )
    lines = ["\t".join(["title", "artist", *table[0]])]
    lines += ["\t".join([f"T{n}", "A", *cells.values()]) for n, cells in enumerate(table)]
    path = tmp_path_factory.mktemp("spelling") / "table.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = read_file(path)
    assert result[2:] == ({}, {}, {}), result.notes
    for row, track in zip(rows, result.tracks, strict=True):
        features = track.features
        assert (features.energy, features.valence) == (row["energy"] / 1000, row["valence"] / 1000)
        assert features.loudness == row["loudness"] / 1000
        assert features.tempo == row["tempo"] / 1000
        assert (features.key, features.mode) == (row["key"], row["mode"])
        assert features.time_signature == row["meter"]
        assert track.duration_ms == row["duration"] * 1000


# lost decimal points and other scales


def evenly(low, high, number=40):
    """Return whole numbers from `low` to `high`."""
    return [str(round(low + (high - low) * n / (number - 1))) for n in range(number)]


@pytest.mark.parametrize(
    ("name", "low", "high", "divisor"),
    [
        ("tempo", 700, 1900, 10),
        ("tempo", 7000, 19000, 100),
        ("tempo", 70000, 190000, 1000),
        ("loudness", -190, -40, 10),
        ("loudness", -100, -41, 10),
        ("loudness", -1900, -301, 100),
        ("loudness", -19000, -3001, 1000),
    ],
)
def test_lost_points_are_put_where_the_numbers_become_plausible(column, name, low, high, divisor):
    result = column(name, *evenly(low, high))

    assert [min(values(result, name)), max(values(result, name))] == [
        low / divisor,
        high / divisor,
    ]
    assert result.notes == [f"{name}: without decimal points, divided by {divisor:,}"]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("tempo", evenly(700, 120_000)),  # points were removed from numbers of 1 to 3 decimals
        ("tempo", evenly(7, 19)),
        ("loudness", evenly(-290, -210)),  # -25 dB or -2.5 dB
        ("loudness", [f"{-n / 40:.3f}" for n in range(40)]),  # -1 to 0
        ("loudness", [f"{-1.5 + (n - 20) / 20:.3f}" for n in range(40)]),
        ("key", [str(n % 24) for n in range(48)]),
        ("key", [str(n % 22) for n in range(48)]),
        ("mode", [str(n % 3) for n in range(48)]),
    ],
)
def test_a_column_on_no_certain_scale_is_not_taken(column, name, cells):
    result = column(name, *cells)

    assert set(values(result, name)) == {None}
    assert result.notes[-1].startswith(f"{name}: ")
    assert result.notes[-1].endswith("column not taken")


def test_a_tempo_of_a_comma_in_the_wrong_place_is_out_of_range(column):
    result = column("tempo", "120,5", "98,25", "1,234", "131,5")

    assert values(result, "tempo") == [120.5, 98.25, None, 131.5]
    assert result.out_of_range == {"tempo": 1}


@pytest.mark.parametrize("factor", [1, 1000])
def test_dates_before_1970_as_seconds(column, factor):
    """1950, 1969, 1970 and 1999."""
    seconds = [-631152000, -86400, 86400, 915148800, -631152000, 915148800]

    result = column("release_date", *(str(n * factor) for n in seconds))

    expected = ["1950-01-01", "1969-12-31", "1970-01-02", "1999-01-01", "1950-01-01", "1999-01-01"]
    assert dates(result) == expected


@pytest.mark.parametrize("low", [661_500, 66_149, 1_323_000])
def test_the_samples_of_clips_are_no_milliseconds(column, low):
    cells = evenly(low, low + 300, 20)

    assert set(durations(column("length", *cells))) == {None}
    assert durations(column("length_ms", *cells)) == [float(cell) for cell in cells]
    assert durations(column("length", *cells, units={"length": "ms"}))[0] == low
    assert durations(column("length", *["30000"] * 20))[0] == 30_000


# usual columns


@pytest.mark.parametrize(
    ("name", "cells", "expected"),
    [
        ("Time", ["215", "180", "240"], 215_000),
        ("Time", ["03:45", "04:01", "2:59"], 225_000),
        ("Dauer", ["3:45", "4:01", "2:59"], 225_000),
        ("Spieldauer", ["225", "241", "179"], 225_000),
    ],
)
def test_usual_names_of_durations(column, name, cells, expected):
    assert durations(column(name, *cells))[0] == expected


@pytest.mark.parametrize(
    ("name", "cells", "expected"),
    [
        ("Released", ["2019-06-14", "1999"], ["2019-06-14", "1999"]),
        ("Jahr", ["2019", "1999"], ["2019", "1999"]),
        ("released", ["6/14/19", "12/01/99"], ["2019-06-14", "1999-12-01"]),
        ("released", ["14.06.19", "1.12.40"], ["2019-06-14", "1940-12-01"]),
        ("released", ["01-02-03", "1999"], [None, "1999"]),
    ],
)
def test_usual_names_and_short_years_of_dates(column, name, cells, expected):
    assert dates(column(name, *cells)) == expected


def test_year_month_and_day_are_one_date(read):
    result = read(
        "title,artist,released_year,released_month,released_day\n"
        "Blue,Ana,2019,6,14\nRed,Bo,1999,12,\nTan,Cy,2001,13,1\nTin,Cy,,1,1\n"
    )

    assert dates(result) == ["2019-06-14", "1999-12", "2001", None]
    assert result.unreadable == {"released_month": 1}


def test_several_columns_of_artists_are_one_credit(read):
    result = read(
        "Song Title,Album Title,Artist Name 1,Artist Name 2,Artist Name 3\n"
        'Blue,Tiles,Ana,Bo,\nRed,Tiles,"Tyler, The Creator",,\nTan,Tiles,A,B,C\n'
    )

    names = [[artist.name for artist in track.artists] for track in result.tracks]
    assert names == [["Ana", "Bo"], ["Tyler, The Creator"], ["A", "B", "C"]]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("explicit_lyrics", ["True", "False"]),
        ("Explicit/Clean", ["Explicit", "Clean"]),
        ("explicit", ["Y", "N"]),
    ],
)
def test_explicit_in_its_spellings(column, name, cells):
    assert [track.explicit for track in column(name, *cells).tracks] == [True, False]


def test_the_members_of_lastfm_are_columns(tmp_path):
    path = tmp_path / "tracks.json"
    path.write_text(
        '{"recenttracks": {"track": [{"name": "Blue", "artist": {"#text": "Ana", "mbid": "x"},'
        ' "album": {"#text": "Tiles"}, "date": {"uts": "1577836800"}}]}}'
    )

    (track,) = read_file(path).tracks

    given = track.title, track.artists[0].name, track.album, track.release_date
    assert given == ("Blue", "Ana", "Tiles", None)
