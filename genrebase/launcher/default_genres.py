"""The default genres, and the commands that read and set targets."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from genrebase.launcher import child_commands
from genrebase.launcher.supervisor import ChildCommand
from genrebase.runtime.shutdown import StopSignal

DEFAULT_GENRES: Final = (
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
DEFAULT_TARGET: Final = 1000
"""Target of unique tracks per genre."""


def existing_genres(environment: Mapping[str, str], stop: StopSignal) -> dict[str, int | None]:
    """Return the stored genres with their targets (None: imports only)."""
    status: Any = _collector(environment, stop, "status")
    return {genre["name"]: genre["target"] for genre in status["genres"]}


def add_default_genres(
    environment: Mapping[str, str], stop: StopSignal, target: int = DEFAULT_TARGET
) -> None:
    """Add the ten default genres with one command."""
    with TemporaryDirectory(prefix="genrebase-") as folder:
        names = Path(folder) / "genres.txt"
        names.write_text("\n".join(DEFAULT_GENRES) + "\n", encoding="utf-8")
        _collector(environment, stop, "genres", "import", str(names), "--target", str(target))


def raise_targets(
    environment: Mapping[str, str],
    stop: StopSignal,
    targets: Mapping[str, int | None],
    target: int,
) -> None:
    """Raise the targets that are lower than `target`."""
    for name, old_target in targets.items():
        if old_target is not None and old_target < target:
            _collector(environment, stop, "genres", "target", name, str(target))


def _collector(environment: Mapping[str, str], stop: StopSignal, *arguments: str) -> Any:
    command = ChildCommand("collector", (*arguments, "--json"), environment)
    return child_commands.run_command(command, stop, quietly=True)
