"""When Chromium paints the pages first: `python -m benchmarks.first_paint URL PATH...`.

URL is that of a running `genrebase serve`. The browser's CPU is slowed four times. Prints per page
the milliseconds until the first contentful paint (the median of the requests, and the slowest),
the bytes that were received, and the elements. Needs Playwright and Chromium.
"""

import argparse
from statistics import median
from typing import Any

SLOWDOWN = 4
FIRST_PAINT = """
new Promise((resolve) => {
  const look = () => {
    const [entry] = performance.getEntriesByName("first-contentful-paint");
    if (entry) resolve(entry.startTime); else setTimeout(look, 20);
  };
  look();
})
"""


def measure(page: Any, address: str, requests: int) -> tuple[list[float], int, int]:
    """Return the times of the first paints, the bytes of the last request, and the elements."""
    sizes: list[int] = []
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    paints = []
    for _ in range(requests):
        sizes.clear()
        page.goto(address)
        paints.append(float(page.evaluate(FIRST_PAINT)))
    elements = int(page.evaluate("document.querySelectorAll('*').length"))
    return paints, sum(sizes), elements


def main() -> None:
    """Measure each page in a tab of its own."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("paths", nargs="*", default=["/", "/genres", "/map", "/disputes"])
    parser.add_argument("--requests", type=int, default=5)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    given = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=given.chromium, args=["--no-sandbox"])
        for path in given.paths:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            address = f"{given.url.rstrip('/')}{path}"
            paints, size, elements = measure(page, address, given.requests)
            print(
                f"{path:20} {median(paints):6.0f} ms, slowest {max(paints):6.0f} ms, "
                f"{size:7,} bytes, {elements:5,} elements"
            )
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
