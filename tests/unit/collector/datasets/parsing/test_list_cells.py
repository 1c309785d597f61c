"""Lists in cells, in every spelling."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.datasets.parsing import list_cells
from collector.datasets.parsing.list_cells import ListItem, UnreadableList


def names_of(cell):
    """Return the names in a cell; None for plain text."""
    parsed = list_cells.parse_list(cell)
    return None if parsed is None else [item.name for item in parsed.items]


@pytest.mark.parametrize(
    ("cell", "items"),
    [
        ("['Ana', 'Bo']", ["Ana", "Bo"]),
        ("['Ana','Bo']", ["Ana", "Bo"]),
        ('["Ana", "Bo"]', ["Ana", "Bo"]),
        ("('Ana', 'Bo')", ["Ana", "Bo"]),
        ("('Ana',)", ["Ana"]),
        ("{'Ana', 'Bo'}", ["Ana", "Bo"]),
        ("frozenset({'Ana', 'Bo'})", ["Ana", "Bo"]),
        ("['Ana' 'Bo']", ["Ana", "Bo"]),
        ("['Ana'\n 'Bo'\n 'Cy']", ["Ana", "Bo", "Cy"]),
        ("""["Ana's" 'Bo']""", ["Ana's", "Bo"]),
        ("array(['Ana', 'Bo'], dtype=object)", ["Ana", "Bo"]),
        ("[np.str_('Ana'), np.str_('Bo')]", ["Ana", "Bo"]),
        ("[b'Ana', b'Rapha\\xc3\\xabl']", ["Ana", "Raphaël"]),
        ("[u'Ana', u'Bo']", ["Ana", "Bo"]),
        ("deque(['Ana', 'Bo'])", ["Ana", "Bo"]),
        ("pd.Index(['Ana', 'Bo'])", ["Ana", "Bo"]),
        ("""['Ana, the Great', "B's"]""", ["Ana, the Great", "B's"]),
        ("[['Ana'], ['Bo']]", ["Ana", "Bo"]),
        ('\'["Ana", "Bo"]\'', ["Ana", "Bo"]),
        ("[\"['Ana', 'Bo']\"]", ["Ana", "Bo"]),
        ("[nan, 'Ana', None]", ["Ana"]),
        ('["Ana", null]', ["Ana"]),
        ("{'0': 'Ana', '1': 'Bo'}", ["Ana", "Bo"]),
        ("[{'element': 'Ana'}, {'element': 'Bo'}]", ["Ana", "Bo"]),
        ('{"artists": ["Ana", "Bo"]}', ["Ana", "Bo"]),
        ("{'Ana': 1, 'Bo': 3}", ["Bo", "Ana"]),
        ("[{'name': 'Ana', 'count': 1}, {'name': 'Bo', 'count': 3}]", ["Bo", "Ana"]),
        ("[{'name': 'Ana', 'count': 1}, {'name': 'Bo', 'count': None}]", ["Ana", "Bo"]),
    ],
)
def test_lists(cell, items):
    """JSON, Python, numpy and Spark write lists in their own ways; weights give the order."""
    assert names_of(cell) == items


@pytest.mark.parametrize(
    "cell",
    [
        "[{'id': 'x1', 'name': 'Ana'}, {'id': 'x2', 'name': 'Bo'}]",
        '[{"name": "Ana", "id": "x1", "followers": null}, {"name": "Bo", "id": "x2"}]',
        "[{'id': 'x1', 'name': 'Ana'}\n {'id': 'x2', 'name': 'Bo'}]",
        "[Row(id='x1', name='Ana'), Row(id='x2', name='Bo')]",
        "[{'name': 'Ana', 'uri': 'x1'}, {'name': 'Bo', 'uri': 'x2'}]",
        "[{'artist': {'id': 'x1', 'name': 'Ana'}, 'name': 'Ana'}, {'name': 'Bo', 'id': 'x2'}]",
    ],
)
def test_objects_are_read_by_their_name(cell):
    """Each with its id."""
    parsed = list_cells.parse_list(cell)
    assert parsed.items == (ListItem("Ana", "x1"), ListItem("Bo", "x2"))


def test_one_object_is_a_list_of_one():
    """A struct."""
    assert list_cells.parse_list("{'name': 'Ana', 'id': 'x1'}").items == (ListItem("Ana", "x1"),)


@pytest.mark.parametrize(
    "cell",
    [
        "[]",
        "()",
        "{}",
        "set()",
        "frozenset()",
        "[ ]",
        "['']",
        "[None]",
        "[nan]",
        "[[]]",
        "[{}]",
        "array([], dtype=object)",
        "[{'id': '3', 'name': None}]",
        "",
        " ",
        "\\N",
        "#N/A",
        "(null)",
    ],
)
def test_cells_without_anything(cell):
    """An empty list is a missing value."""
    assert list_cells.is_blank(cell)


@pytest.mark.parametrize(
    "cell",
    [
        "Ana",
        "[spunge]",
        "(G)I-DLE",
        "(hed) p.e.",
        "Sunn O)))",
        "[re:jazz]",
        "Earth (US)",
        '"Weird Al" Yankovic',
        "Tyler, The Creator",
        "[Ana, Bo]",
        "b'Ana'",
        "Set (it)",
    ],
)
def test_plain_text(cell):
    """A name may begin and end with brackets."""
    assert names_of(cell) is None
    assert not list_cells.is_blank(cell)


@pytest.mark.parametrize(
    "cell",
    [
        "['Ana', 'B",
        "['Don't', 'Bo']",
        '{"name": "Ana"',
        "[object Object]",
        "['Ana' + open('x')]",
        "[{'a': 'x', 'b': 'y'}]",
        "['" + "x" * 200000,
        "['Ana', [" * 50,
    ],
)
def test_a_damaged_list_is_never_a_name(cell):
    """It was cut off or is no literal; nothing in it is executed."""
    with pytest.raises(UnreadableList):
        list_cells.parse_list(cell)
    assert not list_cells.is_blank(cell)


def test_a_list_that_numpy_shortened():
    """The items that are there are read, and that others are not."""
    parsed = list_cells.parse_list("['Ana' 'Bo' ... 'Zoe']")
    assert [item.name for item in parsed.items] == ["Ana", "Bo", "Zoe"]
    assert parsed.is_shortened


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Cf"]), min_size=1)


@given(st.lists(texts.filter(lambda text: not list_cells.is_blank(text)), min_size=1))
def test_python_and_json_give_the_same_items(items):
    """Whatever characters a name is made of."""
    items = [item for item in items if item[0] not in "[{(\"'bB"]
    assert names_of(repr(items)) == names_of(json.dumps(items)) == items
