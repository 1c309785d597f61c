"""Every command of every command line, as its users reach it."""

from collections.abc import Iterator, Mapping
from typing import Any

import typer

from genrebase import cli
from genrebase.runtime import plugins
from genrebase.runtime.command_line import LazyCommand


def every_command() -> dict[str, Any]:
    """Return each command by its name: `collector import`, `genrebase doctor`."""
    programs = {"genrebase": cli.app} | {
        plugin.name: plugin.value for plugin in plugins.load_all(cli.COMMAND_GROUP)
    }
    return {
        path: command
        for name, app in programs.items()
        for path, command in _leaves(name, typer.main.get_group(app))
    }


def every_group() -> dict[str, Any]:
    """Return each command line and each group of commands by its name."""
    programs = {"genrebase": cli.app} | {
        plugin.name: plugin.value for plugin in plugins.load_all(cli.COMMAND_GROUP)
    }
    return {
        path: group
        for name, app in programs.items()
        for path, group in _groups(name, typer.main.get_group(app))
    }


def _leaves(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    children = _children(command)
    if children is None:
        yield path, _loaded(command)
        return
    for name, child in children.items():
        yield from _leaves(f"{path} {name}", child)


def _groups(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    children = _children(command)
    if children is not None:
        yield path, _loaded(command)
        for name, child in children.items():
            yield from _groups(f"{path} {name}", child)


def _loaded(command: Any) -> Any:
    return command.load() if isinstance(command, LazyCommand) else command


def _children(command: Any) -> Mapping[str, Any] | None:
    children: Mapping[str, Any] | None = getattr(_loaded(command), "commands", None)
    return children
