"""Sections of a page as JSON."""

import json
import math

from web.page_sections import Section


def test_numbers_that_json_lacks_are_null() -> None:
    """JSON has no infinity: other programs could not read the document."""
    section = Section("x", ("a", "b", "c", "d"), ((math.nan, math.inf, -math.inf, 0.5),))
    document = json.dumps(section.as_json(), allow_nan=False)
    assert json.loads(document)["rows"] == [[None, None, None, 0.5]]
