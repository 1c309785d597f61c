"""Genres of cells, tags and lists."""

import unicodedata

import pytest

from collector.datasets.parsing import genre_cells


@pytest.mark.parametrize(
    "cell",
    [
        "pop;dance pop",
        "pop; dance pop",
        "pop|dance pop",
        "['pop', 'dance pop']",
        '["pop", "dance pop"]',
        "['pop' 'dance pop']",
        "('pop', 'dance pop')",
        "[pop, dance pop]",
        "{'pop', 'dance pop'}",
        "[{'name': 'pop'}, {'name': 'dance pop'}]",
        "pop\x00dance pop",
        "{'pop': 9, 'dance pop': 2}",
        "['pop', 'dance pop', 'pop', None]",
        "[b'pop', b'dance pop']",
        "#pop #dance pop",
        "#pop, #dance pop",
        "['#pop', '#dance pop']",
        "pop\\␀dance pop",
        "deque(['pop', 'dance pop'])",
    ],
)
def test_a_list_gives_a_claim_and_sightings(cell):
    """The first genre counts."""
    assert genre_cells.split_genres(cell) == ("pop", "dance pop")


@pytest.mark.parametrize(
    "cell",
    [
        "[]",
        "",
        " ",
        "\\N",
        "#N/A",
        "(null)",
        "set()",
        "{}",
        "()",
        "nan",
        "None",
        "null",
        "[nan]",
        "['']",
        ";",
        "<NA>",
        "undefined",
        "[None]",
        "array([], dtype=object)",
        "n.a.",
        "k. A.",
        "unbekannt",
        "Inconnu",
        "Desconocido",
        "sem gênero",
        "不明",
    ],
)
def test_none_is_no_genre(cell):
    """In every spelling."""
    assert genre_cells.split_genres(cell) == ()


@pytest.mark.parametrize("cell", ["['pop', 'ro", "[object Object]", "['Don't', 'pop']"])
def test_a_damaged_list_is_no_genre(cell):
    """Its text is never a genre's name."""
    assert genre_cells.split_genres(cell) == ()


@pytest.mark.parametrize("name", ["Folk, World, & Country", "Hip-Hop/Rap", "R&B", "drum and bass"])
def test_a_name_may_hold_a_comma_a_slash_an_ampersand(name):
    """They separate only where a separator is given."""
    assert genre_cells.split_genres(name) == (name,)


def test_a_separator_can_be_given():
    """It separates plain text, besides the usual ones."""
    assert genre_cells.split_genres("pop, rock;jazz", ",") == ("pop", "rock", "jazz")
    assert genre_cells.split_genres("Pop / Rock", "/") == ("Pop", "Rock")
    assert genre_cells.split_genres("['pop', 'rock']", ",") == ("pop", "rock")


def test_tags_are_values_of_one_list():
    """Several values, or several names in one."""
    assert genre_cells.split_genres(["Rock; Pop", "Jazz", "rock", ""]) == (
        "Rock",
        "Pop",
        "Jazz",
        "rock",
    )


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_unicode_forms_of_a_name_are_one_genre(form):
    """macOS writes names of files and folders decomposed."""
    name = unicodedata.normalize(form, "música")
    assert genre_cells.split_genres([name, f"['{name}']"]) == ("m\xfasica",)


def test_a_cell_that_may_be_a_list():
    """A comma in one name."""
    assert genre_cells.may_be_list("pop, rock")
    assert not genre_cells.may_be_list("['pop', 'rock']")
    assert not genre_cells.may_be_list("pop")


@pytest.mark.parametrize(
    "cell", ["Unknown", "unclassified", "-", "?", "0", "empty_field", "--", "['unknown']", "-; ?"]
)
def test_placeholders_are_no_genres(cell):
    assert genre_cells.split_cell(cell) == ()
    assert genre_cells.is_blank(cell)


def test_a_placeholder_beside_a_genre_is_left_out():
    assert genre_cells.split_cell("unknown; pop") == ("pop",)
    assert not genre_cells.is_blank("unknown; pop")
    assert genre_cells.split_cell("80s") == ("80s",)
