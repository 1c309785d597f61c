"""Command-line applications (Typer) with lazily imported commands, logging and exit codes."""

import ast
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar, Final, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from genrebase.errors import GenrebaseError
from genrebase.runtime.console import INTERRUPTED_EXIT_CODE, CommandInterrupted, print_error

_DEFAULT_INTERRUPT_MESSAGE: Final = "Stopped: nothing is half-written."
"""True for every command, because each writes in transactions."""


class CommandLine(typer.Typer):
    """A Typer application; `commands` are imported when they run, not for the list in its help."""

    def __init__(
        self, name: str, help_text: str, commands: Mapping[str, str] | None = None
    ) -> None:
        """Take `commands` as a map from name to function or sub-app, `package.module:name`."""
        super().__init__(
            name=name,
            help=help_text,
            cls=_lazy_group(commands or {}),
            no_args_is_help=True,
            add_completion=False,
            pretty_exceptions_enable=False,  # it would print local variables, secrets among them
        )
        self.callback()(lambda: None)  # a group also where every command is lazy

    def command(self, name: str | None = None, **options: Any) -> Callable[[Any], Any]:
        """Register a command that configures logging before it runs."""
        return super().command(name, cls=_LoggedCommand, **options)


class LazyCommand(TyperCommand):
    """A placeholder in its group's help that imports the command when it is called."""

    def __init__(self, name: str, target: str) -> None:
        self._module, _, self._attribute = target.partition(":")
        super().__init__(name, help=_docstring(self._module, self._attribute))

    def load(self) -> Any:
        """Import the command, a function or a Typer application, and return it as Click's."""
        value = getattr(import_module(self._module), self._attribute)
        if not isinstance(value, typer.Typer):
            app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            app.command(self.name, cls=_LoggedCommand)(value)
            value = app
        return typer.main.get_command(value)

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Parse the arguments with the command itself, which the context then invokes."""
        return self.load().make_context(*arguments, **options)


class _LoggedCommand(TyperCommand):
    """Configures logging when the command runs: its help needs neither structlog nor settings."""

    configures_logging: ClassVar = False
    """Whether `run_app` runs the command, so that the process's logging is ours to configure."""

    def invoke(self, ctx: Any) -> Any:
        if self.configures_logging:
            from genrebase.runtime import logging  # structlog takes 0.1 s

            logging.configure()
        return super().invoke(ctx)


def _lazy_group(commands: Mapping[str, str]) -> type[TyperGroup]:
    class LazyGroup(TyperGroup):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            for name, target in commands.items():
                self.add_command(LazyCommand(name, target))

    return LazyGroup


def _docstring(module: str, function: str) -> str:
    """Return the docstring of a function, else of its module, from the source."""
    spec = find_spec(module)
    get_source = getattr(spec and spec.loader, "get_source", None)
    tree = ast.parse(get_source(module) or "") if get_source else ast.Module([], [])
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    nodes = [node for node in functions if node.name == function]
    return ast.get_docstring(nodes[0] if nodes else tree) or ""


def run_app(
    app: Callable[[], object], exit_process: Callable[[int], object] = os._exit
) -> NoReturn:
    """Run a command line; print a `GenrebaseError` as its message and exit with its code.

    Exit codes: 0 done, 1 failed or stopped half-way, 2 usage error or refused, 3 nothing to do, 4
    blocked by the source; 130 after Ctrl-C, with a message that says what was kept. After Ctrl-C
    the process ends through `exit_process`, which waits for no thread at work.
    """
    _LoggedCommand.configures_logging = True
    try:
        app()
    except KeyboardInterrupt:
        _exit_interrupted(_DEFAULT_INTERRUPT_MESSAGE, exit_process)
    except CommandInterrupted as error:
        _exit_interrupted(str(error), exit_process)
    except SystemExit as error:
        if error.code == INTERRUPTED_EXIT_CODE:  # Typer turns Ctrl-C into this
            _exit_interrupted(_DEFAULT_INTERRUPT_MESSAGE, exit_process)
        raise
    except GenrebaseError as error:
        print_error(str(error))
        sys.exit(error.exit_code)
    finally:
        _LoggedCommand.configures_logging = False
    sys.exit(0)


def _exit_interrupted(message: str, exit_process: Callable[[int], object]) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not cost the message
    print_error(message)
    with suppress(OSError, ValueError):  # the reader of the pipe is gone
        sys.stdout.flush()
        sys.stderr.flush()
    exit_process(INTERRUPTED_EXIT_CODE)
    sys.exit(INTERRUPTED_EXIT_CODE)
