"""Loading of registered plug-ins."""

import pytest

from genrebase.errors import UserError
from genrebase.runtime import plugins
from tests.unit.genrebase.runtime.conftest import Install

GROUP = "genrebase.test_group"


def test_a_plugin_is_loaded_by_name(install: Install, module: str) -> None:
    """The object of the entry point is returned."""
    install(GROUP, {"ten": f"{module}:TEN", "two": f"{module}:TWO"}, "TEN = 10\nTWO = 2\n")
    assert plugins.registered_names(GROUP) == ["ten", "two"]
    assert plugins.load(GROUP, "ten") == 10
    assert [(one.name, one.value) for one in plugins.load_all(GROUP)] == [("ten", 10), ("two", 2)]


def test_an_unknown_name_lists_the_registered_ones(install: Install, module: str) -> None:
    """The message has the most similar name and the list."""
    install(GROUP, {"logistic": f"{module}:A", "random_forest": f"{module}:A"}, "A = 1\n")
    with pytest.raises(UserError) as refused:
        plugins.load(GROUP, "logistics")
    assert "Did you mean 'logistic'?" in str(refused.value)
    assert "Known: logistic, random_forest." in str(refused.value)
    assert refused.value.exit_code == 2


def test_a_name_near_to_none_gets_the_list_only(install: Install, module: str) -> None:
    """No guess is made where nothing is near."""
    install(GROUP, {"logistic": f"{module}:A"}, "A = 1\n")
    with pytest.raises(UserError, match=r"zebra.*Known: logistic") as refused:
        plugins.load(GROUP, "zebra")
    assert "Did you mean" not in str(refused.value)


def test_an_empty_group_names_the_installation() -> None:
    """Without registered plug-ins the message points to the installation."""
    with pytest.raises(UserError, match="install genrebase again"):
        plugins.load("genrebase.no_such_group", "x")


def test_a_broken_plugin_stops_only_itself(install: Install, module: str) -> None:
    """One that cannot be imported is named with its reason; the others are loaded."""
    install(GROUP, {"bad": "no_such_module_at_all:x", "good": f"{module}:A"}, "A = 1\n")
    bad, good = plugins.load_all(GROUP)
    assert bad.value is None
    assert bad.error is not None
    assert "no_such_module_at_all" in bad.error
    assert (good.value, good.error) == (1, None)
    with pytest.raises(plugins.BrokenPlugin, match="bad"):
        plugins.load(GROUP, "bad")
