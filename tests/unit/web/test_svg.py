"""Charts are well-formed, and texts in them are escaped."""

from xml.etree import ElementTree as ET

import pytest

from web import svg

HOSTILE = "<script>\"&'</svg>"


def parse(markup):
    return ET.fromstring(str(markup))


def test_texts_and_attributes_are_escaped():
    chart = svg.element("svg", svg.element("text", HOSTILE), aria_label=HOSTILE)
    tree = parse(chart)
    assert tree.get("aria-label") == HOSTILE
    assert tree.find("text").text == HOSTILE


@pytest.mark.parametrize(
    "chart",
    [
        svg.bar(0.4),
        svg.histogram([]),
        svg.histogram([0, 0]),
        svg.marks((0.5, 0.4, 0.6), (None, None, None)),
        svg.ruler((0.5, 0.4, 0.6), (0.52, None, None), 0.1, 0.9),
        svg.ruler((None, None, None), (1.0, 1.0, 1.0), None, None),
        svg.strip(3.0, [("claim", (1, 2, 3, 4, 5)), ("ans", (3, 3, 3, 3, 3))], HOSTILE),
        svg.strip(3.0, [], "alone"),
        svg.probability(1.2, "p-ans"),
        svg.fold_strip(9, [8], [9], "folds"),
    ],
)
def test_every_chart_is_well_formed(chart):
    assert parse(chart).tag == "svg"


def test_shares_are_clipped_to_the_width():
    assert (svg.percent(-1), svg.percent(0.5), svg.percent(7)) == ("0.00%", "50.00%", "100.00%")


def test_the_ruler_says_in_words_what_it_shows():
    label = parse(svg.ruler((0.676, 0.626, 0.727), (0.978, None, None), 0.1, 0.931)).get(
        "aria-label"
    )
    assert label == (
        "Accuracy on test tracks: unseen artists 67.6 percent, 95% interval 62.6 to 72.7; seen "
        "artists 97.8 percent; a random guess 10.0; a random split would claim 93.1."
    )
