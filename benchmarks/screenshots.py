"""Make the pictures of the pages in docs/images: `python -m benchmarks.screenshots URL [FOLDER]`.

URL is that of a running `genrebase serve`, over the demo's database. Needs Playwright, Pillow
(`pip install playwright pillow`) and Chromium (`--chromium`, default /usr/bin/chromium).
"""

import argparse
import json
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

PAGES = {"overview": "/", "map": "/map", "track": "/tracks/{track}?why=1"}
"""Each picture's page; `{track}` is a disputed track that the champion was not trained on."""
TRACK = (
    "SELECT track_id FROM label_disputes WHERE NOT in_training "
    "ORDER BY probability DESC, track_id LIMIT 1"
)
WIDTH, HEIGHT = 1280, 800
COLOURS = 160
"""Enough for the colours that mean something; less than half of the size."""


def main() -> None:
    """Make one picture per page and colour scheme."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("docs/images"))
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    given = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=given.chromium, args=["--no-sandbox"])
        track = _track(given.url)
        for scheme in ("light", "dark"):
            page = browser.new_page(
                viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme
            )
            for name, address in PAGES.items():
                page.goto(f"{given.url.rstrip('/')}{address.format(track=track)}")
                path = given.folder / f"web-{name}-{scheme}.png"
                page.screenshot(path=path)
                Image.open(path).quantize(COLOURS).save(path, optimize=True)
        browser.close()


def _track(url: str) -> int:
    """Return the track of the picture, by the page SQL of the server."""
    address = f"{url.rstrip('/')}/sql.json?{urlencode({'q': TRACK})}"
    with urlopen(address) as response:
        rows = json.load(response)["sections"]["result"]["rows"]
    return int(rows[0][0])


if __name__ == "__main__":
    main()
