"""What a page costs the browser: bytes, elements, and shifts of what is already painted."""

import pytest

PAGES = (
    "/", "/genres", "/genres/blues", "/map", "/tracks/7", "/disputes", "/models/1", "/predict",
    "/jobs", "/sql?q=SELECT+*+FROM+tracks", "/docs/views",
)  # fmt: skip
MAX_BYTES = 120_000
MAX_ELEMENTS = 1_500
MAX_SHIFT = 0.02
SHIFTS = """
new Promise((resolve) => {
  let shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) shift += entry.value;
  }).observe({type: "layout-shift", buffered: true});
  requestAnimationFrame(() => setTimeout(() => resolve(shift), 50));
})
"""


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_small_and_stays_where_it_is(served, clean_tab, path):
    """With the CPU slowed four times nothing moves after it was painted."""
    sizes: list[int] = []
    tab = clean_tab
    session = tab.page.context.new_cdp_session(tab.page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    for width in (1280, 390):
        sizes.clear()
        tab.page.set_viewport_size({"width": width, "height": 900})
        tab.page.goto(served.url + path)
        assert tab.page.evaluate(SHIFTS) <= MAX_SHIFT
        assert tab.page.evaluate("document.querySelectorAll('*').length") <= MAX_ELEMENTS
        assert 1_000 < sum(sizes) <= MAX_BYTES
    session.detach()
