"""Checks of all registered plug-ins."""

from genrebase.runtime.checks import Check, run_plugin_checks
from tests.unit.genrebase.runtime.conftest import Install

GROUP = "genrebase.test_checks"
CODE = """
from genrebase.runtime.checks import Check

def fine():
    return [Check("disk", True, "12 GB free.")]

def breaks_half_way():
    yield Check("token", None, "Not checked.")
    raise RuntimeError("Authorization: Bearer abcdefghijklmnopqrstuvwxyz")
"""


def test_every_plugin_is_checked(install: Install, module: str) -> None:
    """A plug-in that raises becomes a line without secrets."""
    install(
        GROUP,
        {"a": f"{module}:breaks_half_way", "b": "no_such_module_at_all:x", "c": f"{module}:fine"},
        CODE,
    )
    token, broken, missing, disk = run_plugin_checks(GROUP)
    assert token == Check("token", None, "Not checked.")
    assert (broken.name, broken.ok) == ("a", False)
    assert "RuntimeError: Authorization: Bearer ***" in broken.sentence
    assert (missing.name, missing.ok) == ("b", False)
    assert disk.ok is True
