"""Every page in Chromium: axe finds nothing, the console is empty, nothing scrolls sideways."""

from itertools import cycle, permutations

import pytest
from axe_playwright_python.sync_playwright import Axe

WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = (
    "/", "/genres", "/genres?sort=-tracks&q=b", "/genres/r%26b", "/tracks/1", "/tracks/7",
    "/tracks/196", "/tracks/7?disputes=1", "/tracks/6?why=1", "/tracks/7?disputes=1&blind=1",
    "/search?q=song", "/search?q=song&after=1.-1.9", "/search?q=script",
    "/disputes", "/models",
    "/models/1", "/models/compare?a=1&b=2", "/predict", "/predict?title=Blue+Moon&tempo=120",
    "/jobs", "/login",
    "/sql", "/sql?q=SELECT+genre,+tracks+FROM+genre_progress",
    "/sql?q=SELECT+*+FROM+tracks+LIMIT+5",
    "/map", "/map?x=tempo&y=energy&genre=blues", "/docs/views",
    "/docs/views/scoring_tracks", "/docs/metrics", "/docs/glossary", "/docs/api",
)  # fmt: skip
MISSING = ("/tracks/99999999", "/genres/unknown", "/predict?tempo=fast", "/sql?q=SELECT")
"""Pages with an error status: Chromium itself writes a message to the console for each."""


@pytest.mark.parametrize(
    ("path", "schemes"),
    list(zip([*PAGES, *MISSING], cycle(permutations(SCHEMES)), strict=False)),
)
def test_a_page_has_no_violation(served, clean_tab, path, schemes):
    """At each width and in each scheme; every other page is wide in the dark scheme."""
    axe, tab = Axe(), clean_tab
    for width, scheme in zip(WIDTHS, schemes, strict=True):
        tab.page.set_viewport_size({"width": width, "height": 900})
        tab.page.emulate_media(color_scheme=scheme)
        tab.page.goto(served.url + path)
        root = "document.documentElement"
        assert not tab.page.evaluate(f"{root}.scrollWidth > {root}.clientWidth"), width
        result = axe.run(tab.page, options={"runOnly": RULES, "resultTypes": ["violations"]})
        violations = [
            (one["id"], one["nodes"][0]["html"][:200]) for one in result.response["violations"]
        ]
        assert violations == [], (width, scheme)
    if path not in MISSING:
        assert tab.messages == []


def test_the_metrics_of_a_model_need_no_scrolling(clean_tab, served):
    """On a narrow screen two test conditions are visible beside the names."""
    tab = clean_tab
    tab.page.goto(f"{served.url}/models/1")
    box = "document.querySelector('.metrics').parentElement"
    tab.page.set_viewport_size({"width": 1280, "height": 900})
    assert tab.page.evaluate(f"{box}.scrollWidth <= {box}.clientWidth")
    tab.page.set_viewport_size({"width": 390, "height": 900})
    second = tab.page.locator(".metrics thead th").nth(2).bounding_box()
    assert second["x"] + second["width"] <= 390
