"""Generated pages of docs/."""

import json
import re
from pathlib import Path

import pytest
import yaml

from genrebase.store import views
from scripts import generate_docs as docs
from tests.every_command import every_command

FOLDER = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("name", ["settings.md", "commands.md", "views.md"])
def test_the_pages_are_current(name: str) -> None:
    """The pages in docs/ equal the generated ones; `make docs` writes them."""
    assert (FOLDER / name).read_text(encoding="utf-8") == docs.pages()[name]


def test_settings_have_their_variable_default_and_meaning() -> None:
    """A setting is listed by the variable that sets it, a secret without a value."""
    page = docs.settings_page()
    assert "| `STORE_URL` | `sqlite:///genrebase.db` | The database:" in page
    assert "| `SPOTIPY_CLIENT_SECRET` |  |" in page
    assert page.count("`SPOTIPY_CLIENT_ID`") == 1


def test_commands_have_their_parameters() -> None:
    """A command is listed with its options, their defaults and their meaning."""
    page = docs.commands_page()
    assert "### genrebase demo" in page
    assert "| `--target` | `1000` | Target of unique tracks per genre. |" in page


def test_every_command_has_json_output() -> None:
    """Every command has --json, as the page of commands says."""
    for name, command in every_command().items():
        assert any("--json" in parameter.opts for parameter in command.params), name


def test_columns_of_many_views_are_described_once() -> None:
    """A view names them; columns that differ by a number only share a row."""
    page = docs.views_page()
    assert page.count("| `track_id` | The track's ID. |") == 1
    assert "| `degree_0` to `degree_11` | Share of the time on degree n " in page
    assert (
        "| `pitch_mean_0` to `pitch_mean_11` | Mean strength, 0 to 1, of pitch class n (0 is C"
        in page
    )
    table = page.split("\n## ")[1]
    assert len(set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))) == table.count("\n| `") > 20
    for name, view in views.ALL.items():
        (section,) = [part for part in page.split("\n## ") if part.startswith(f"{name}\n")]
        for column in view.columns:
            assert f"`{column}`" in section or re.search(r"_\d+$", column), (name, column)


def test_every_setting_has_a_description() -> None:
    """No setting lacks its meaning."""
    for line in docs.settings_page().splitlines():
        if line.startswith("| `"):
            assert line.split("|")[3].strip(), line


def test_the_alert_rules_are_valid_yaml() -> None:
    """Every rule is parsed with a name, an expression and a summary."""
    document = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))
    rules = [rule for group in document["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) > 0
    for rule in rules:
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        assert isinstance(rule["expr"], str), rule["alert"]
        assert rule["annotations"]["summary"].endswith((".", "?")), rule["alert"]


def test_the_dashboard_is_valid_json() -> None:
    """Every panel is parsed with a title and queries."""
    document = json.loads((FOLDER / "grafana.json").read_text(encoding="utf-8"))
    assert document["panels"]
    for panel in document["panels"]:
        assert panel["title"]
        assert all(target["expr"] for target in panel["targets"]), panel["title"]
