"""Make the pictures of the pages in docs/images: `python -m benchmarks.screenshots URL [FOLDER]`.

URL is that of a running `genrebase serve`, over the demo's database. Needs Playwright, Pillow
(`pip install playwright pillow`) and Chromium (`--chromium`, default /usr/bin/chromium).
"""

import argparse
from pathlib import Path

PAGES = {"overview": "/"}
WIDTH, HEIGHT = 1280, 800
COLOURS = 64
"""Enough for these pages; a third of the size."""


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
        for scheme in ("light", "dark"):
            page = browser.new_page(
                viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme
            )
            for name, address in PAGES.items():
                page.goto(f"{given.url.rstrip('/')}{address}")
                path = given.folder / f"web-{name}-{scheme}.png"
                page.screenshot(path=path)
                Image.open(path).quantize(COLOURS).save(path, optimize=True)
        browser.close()


if __name__ == "__main__":
    main()
