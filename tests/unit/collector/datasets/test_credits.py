"""Credits of a row: as many names as ids."""

import pytest

from collector.datasets import credits as credit_cells
from collector.datasets.credits import CreditParser
from collector.datasets.parsing.list_cells import UnreadableList
from collector.records import ArtistCredit

ANA, BO, CY = (f"0aaaaaaaaaaaaaaaaaaab{n}" for n in (1, 2, 3))
TYLER = "Tyler, The Creator"


def parse(artists, ids="", count=0, *, many=True, rows=()):
    """Parse one row's credits, knowing the names in `rows` of artists and ids."""
    names = credit_cells.survey_rows(rows, 0, 1, None)
    return CreditParser(many=many, names=names).parse(artists, ids, count)


@pytest.mark.parametrize("delimiter", [",", ", ", ";", "; ", " & ", "/", " | ", "\\␀"])
@pytest.mark.parametrize("many", [True, False])
def test_n_ids_mean_n_names(delimiter, many):
    """By any delimiter, whatever the name of the column."""
    parsed = parse(f"Ana{delimiter}Bo", f"{ANA}, {BO}", many=many)
    assert parsed.artists == (ArtistCredit("Ana", ANA), ArtistCredit("Bo", BO))


@pytest.mark.parametrize("name", [TYLER, "Earth, Wind & Fire", "AC/DC", "a;b", "Hall & Oates"])
def test_one_id_means_one_name(name):
    """Whatever characters it holds."""
    assert parse(name, ANA).artists == (ArtistCredit(name, ANA),)


@pytest.mark.parametrize(
    ("artists", "ids", "names"),
    [
        (f"{TYLER}, Bo", (ANA, BO), (TYLER, "Bo")),
        (f"Bo, {TYLER}", (BO, ANA), ("Bo", TYLER)),
        (f"Bo, {TYLER}, Cy", (BO, ANA, CY), ("Bo", TYLER, "Cy")),
        (f"New One, {TYLER}", (CY, ANA), ("New One", TYLER)),
    ],
)
def test_other_rows_show_where_a_name_ends(artists, ids, names):
    """A name with a comma stays whole where its id stands alone elsewhere."""
    parsed = parse(artists, ", ".join(ids), rows=[(TYLER, ANA), ("Bo", BO)])
    assert parsed.artists == tuple(map(ArtistCredit, names, ids))


def test_an_escaped_comma_belongs_to_the_name():
    r"""Exportify's older tables write it as `\,`."""
    parsed = parse("Tyler\\, The Creator, Bo", f"{ANA}, {BO}")
    assert parsed.artists == (ArtistCredit(TYLER, ANA), ArtistCredit("Bo", BO))
    assert parse("Tyler\\, The Creator", ANA).artists == (ArtistCredit(TYLER, ANA),)


def test_an_uncertain_split_is_one_name_without_an_id():
    """Which of the commas separates is not known: the ids are counted as unreadable."""
    parsed = parse("Crosby, Stills, Nash", f"{ANA}, {BO}")
    assert parsed.artists == (ArtistCredit("Crosby, Stills, Nash"),)
    assert parsed.ids_unreadable
    assert parse("Ana", f"{ANA}, {BO}").ids_unreadable


def test_a_row_that_contradicts_other_rows_is_uncertain():
    """The only way to put the names together has another name for an id."""
    parsed = parse("A, B, C", f"{ANA}, {BO}", rows=[("X", ANA)])
    assert parsed.artists == (ArtistCredit("A, B, C"),)


def test_the_delimiter_is_that_of_the_table():
    """Another delimiter inside the names gives as many pieces, and other names than elsewhere."""
    alone = [("Earth, Wind & Fire", ANA), ("AC/DC", BO), ("Cy & Di", CY)]
    parsed = parse("Earth, Wind & Fire, AC/DC, Cy & Di", f"{ANA}, {BO}, {CY}", rows=alone)
    assert [credit.name for credit in parsed.artists] == [name for name, _ in alone]


def test_a_list_with_ids_beside_it():
    """They match by position; other numbers of ids are counted."""
    parsed = parse("['Ana', 'Bo']", f"['{ANA}', '{BO}']")
    assert parsed.artists == (ArtistCredit("Ana", ANA), ArtistCredit("Bo", BO))
    parsed = parse("['Ana', 'Bo']", f"['{ANA}']")
    assert (parsed.artists, parsed.ids_unreadable) == (
        (ArtistCredit("Ana"), ArtistCredit("Bo")),
        True,
    )


def test_a_name_twice_is_one_credit():
    """With its first id."""
    parsed = parse("['A', 'B', 'A']", f"['{ANA}', '{BO}', 'x']")
    assert parsed.artists == (ArtistCredit("A", ANA), ArtistCredit("B", BO))


def test_a_shortened_list_has_no_ids():
    """numpy left names out: positions mean nothing."""
    parsed = parse("['A' ... 'B']", f"{ANA} {BO}")
    assert parsed.artists == (ArtistCredit("A"), ArtistCredit("B"))


@pytest.mark.parametrize("cell", ["['Ana', 'B", "[object Object]", '[{"name": "Ana"'])
def test_a_damaged_list_raises(cell):
    """It is no name."""
    with pytest.raises(UnreadableList):
        parse(cell)


@pytest.mark.parametrize("cell", ["", "[]", "[None]", "set()"])
def test_without_artists_there_is_an_empty_name(cell):
    """A track has one credit at least."""
    assert parse(cell).artists == (ArtistCredit(""),)


def test_a_count_splits_as_ids_do():
    """As many names as artists are counted."""
    assert parse("Ana, Bo", count=2).artists == (ArtistCredit("Ana"), ArtistCredit("Bo"))
    assert parse(TYLER, count=1).artists == (ArtistCredit(TYLER),)


def test_text_is_split_where_it_is_certain():
    """Semicolons in a column of several artists; brackets with commas; names of other rows."""
    assert [a.name for a in parse("Ana;Bo").artists] == ["Ana", "Bo"]
    assert [a.name for a in parse("Ana;Bo", many=False).artists] == ["Ana;Bo"]
    assert [a.name for a in parse("[Ana, Bo]").artists] == ["Ana", "Bo"]
    assert [a.name for a in parse("[spunge]").artists] == ["[spunge]"]
    rows = [("Ana", ""), ("Bo", "")]
    assert [a.name for a in parse("Ana, Bo", rows=rows).artists] == ["Ana", "Bo"]
    parsed = parse("Ana, Cy", rows=rows)
    assert ([a.name for a in parsed.artists], parsed.may_be_several) == (["Ana, Cy"], True)


@pytest.mark.parametrize(
    ("cell", "ids", "names"),
    [
        ("Ana;Bo", "17", ["Ana", "Bo"]),
        ("Ana | Bo", "AR17", ["Ana", "Bo"]),
        ("['Ana', 'Bo']", ANA, ["Ana", "Bo"]),
    ],
)
def test_one_id_beside_names_that_are_certainly_several(cell, ids, names):
    """The names are split; the id is counted as unreadable, and given to none."""
    parsed = parse(cell, ids)
    assert parsed.artists == tuple(map(ArtistCredit, names))
    assert parsed.ids_unreadable


@pytest.mark.parametrize("mark", ["\\N", "#N/A", "(null)", "<NA>"])
def test_a_mark_for_a_missing_value_is_no_artist(mark):
    """A word such as None may be a name."""
    assert parse(mark).artists == (ArtistCredit(""),)
    assert parse("None").artists == (ArtistCredit("None"),)


@pytest.mark.parametrize(
    ("cell", "ids"),
    [
        (f"spotify:artist:{ANA}, spotify:artist:{BO}", 2),
        (f"https://open.spotify.com/artist/{ANA}?si=1", 1),
        (f"{ANA} {BO}", 2),
        (f"['{ANA}']", 1),
        ("AR1, AR 2", 2),
        ("", 0),
        ("nan", 0),
        ("[]", 0),
    ],
)
def test_ids_of_a_cell(cell, ids):
    """URIs, URLs and ids, joined or as a list."""
    assert len(credit_cells.parse_ids(cell)) == ids


@pytest.mark.parametrize("cell", ["-", "?", "empty_field", "['?']", "N/A"])
def test_placeholders_are_no_artists(cell):
    assert CreditParser(many=False).parse(cell, "", 0).artists == (ArtistCredit(""),)


@pytest.mark.parametrize(
    ("rows", "names", "several"),
    [
        ([("Ana", ""), ("Bo", "")], ("Ana", "Bo"), False),
        ([("Ana", "")], ("Ana / Bo",), True),
    ],
)
def test_a_slash_between_blanks(rows, names, several):
    """It separates names that other rows have alone; else the cell is counted."""
    parsed = parse("Ana / Bo", rows=rows)
    assert tuple(artist.name for artist in parsed.artists) == names
    assert parsed.may_be_several == several
    assert not parse("AC/DC", rows=[("AC", ""), ("DC", "")]).may_be_several
