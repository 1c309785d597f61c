"""The genres that a database without any begins with."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from genrebase.launcher import commands
from genrebase.launcher.supervisor import Command
from genrebase.runtime.shutdown import Stop

DEFAULT: Final = (
    "rap",
    "rock",
    "metal",
    "blues",
    "jazz",
    "classical",
    "funk",
    "techno",
    "electronic",
    "r&b",
)
TARGET: Final = 1000
"""Unique tracks wanted per genre."""


def known(environment: Mapping[str, str], stop: Stop) -> dict[str, int | None]:
    """Return the genres that the database has, each with its target (None: imports only)."""
    status: Any = commands.ask_quietly(
        Command("collector", ("status", "--json"), environment), stop
    )
    return {genre["name"]: genre["target"] for genre in status["genres"]}


def seed(environment: Mapping[str, str], stop: Stop, target: int = TARGET) -> None:
    """Add the ten default genres in one go."""
    with TemporaryDirectory(prefix="genrebase-") as folder:
        names = Path(folder) / "genres.txt"
        names.write_text("\n".join(DEFAULT) + "\n", encoding="utf-8")
        arguments = ("genres", "import", str(names), "--target", str(target), "--json")
        commands.ask_quietly(Command("collector", arguments, environment), stop)


def raise_targets(
    environment: Mapping[str, str], stop: Stop, below: Mapping[str, int | None], target: int
) -> None:
    """Raise the target of each genre that wants fewer than `target` tracks."""
    for name, wanted in below.items():
        if wanted is not None and wanted < target:
            arguments = ("genres", "target", name, str(target), "--json")
            commands.ask_quietly(Command("collector", arguments, environment), stop)
