"""Command-line applications (Typer) with lazily imported commands, logging and exit codes.

The errors have the exit codes: `genrebase.errors`, `collector.errors`.
"""

import ast
import gc
import inspect
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Annotated, Any, ClassVar, Final, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from genrebase import exit_codes
from genrebase.errors import CommandInterrupted, GenrebaseError
from genrebase.runtime.console import Output, print_error
from genrebase.runtime.shortages import describe_shortage

EXAMPLES_HEADING: Final = "Examples:"
"""The line of a command's docstring after which its examples follow, one command a line."""

_USAGE_ERRORS: Final[type[Any]] = typer.BadParameter.__mro__[1]
"""Click's `UsageError`, the base of its other parsing errors; Typer does not export it."""

_SERVICES: Final = ("run", "sandbox", "serve")
"""Commands that run until they are stopped: without a terminal their logs are JSON. The logs of
all others are text, as their messages are."""

_LIMIT: Final = 2**63
"""No database stores such a large whole number."""

_DEFAULT_INTERRUPT_MESSAGE: Final = "Stopped: nothing is half-written."
"""True for every command, because each writes in transactions."""


ForSpreadsheets = Annotated[
    bool,
    typer.Option(
        "--for-spreadsheets",
        help="In the written file: put an apostrophe before texts that a spreadsheet would "
        "execute as formulas (they start with =, +, -, @, a tab or a line break). Programs should "
        "read files without it.",
    ),
]
"""The option of commands that write CSV files with texts of others."""

OnCluster = Annotated[
    str | None,
    typer.Option(
        "--on",
        help="Run on a Dask cluster: tcp://HOST:8786, or local:N for N processes of this computer "
        "(default: GENREBASE_CLUSTER, else this process alone). Needs the extra distributed.",
    ),
]
"""The option of commands whose work can be spread over a cluster."""


def _print_version(requested: bool) -> None:
    if requested:
        Output(as_json=False).print(f"genrebase {version('genrebase')}")
        raise typer.Exit


def _accept_common_options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Declare the options of every command line."""


class CommandLine(typer.Typer):
    """A Typer application; `commands` are imported when they run, not for the list in its help.

    Its help is plain text: Rich would take what stands in brackets for markup and drop it.
    """

    def __init__(
        self, name: str, help_text: str, commands: Mapping[str, str] | None = None
    ) -> None:
        """Take `commands` as a map from name to function or sub-app, `package.module:name`."""
        super().__init__(
            name=name,
            help=help_text,
            cls=_lazy_group(commands or {}),
            context_settings={"help_option_names": ["-h", "--help"]},
            no_args_is_help=True,
            rich_markup_mode=None,
            pretty_exceptions_enable=False,  # it would print local variables, secrets among them
        )
        self.callback()(_accept_common_options)

    def command(self, name: str | None = None, **options: Any) -> Callable[[Any], Any]:
        """Register a command that configures logging before it runs."""
        return super().command(name, cls=_CommandWithExamples, **options)


class _WholeSummary(TyperCommand):
    """Shows its whole summary in the list of its group, where Click would cut it."""

    def get_short_help_str(self, limit: int = 45) -> str:  # noqa: ARG002 - Click's signature
        return " ".join((self.help or "").split("\n\n", 1)[0].split())


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Import without collections of garbage, and leave what was imported out of later ones.

    Modules stay, so a collection frees nothing of them, but each takes 0.05 s.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if _CommandWithExamples.owns_process:
            gc.freeze()
        if enabled:
            gc.enable()


class LazyCommand(_WholeSummary):
    """A placeholder in its group's help that imports the command when it is called."""

    def __init__(self, name: str, target: str) -> None:
        self._module, _, self._attribute = target.partition(":")
        super().__init__(name)

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the summary of the command's docstring, which only its group's help needs."""
        self.help = _docstring(self._module, self._attribute)
        return super().get_short_help_str(limit)

    def load(self) -> Any:
        """Import the command, a function or a Typer application, and return it as Click's."""
        with _no_garbage_collection():
            value = getattr(import_module(self._module), self._attribute)
        if isinstance(value, typer.Typer):
            return typer.main.get_group(value)
        app = typer.Typer(
            add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
        )
        app.command(self.name, cls=_CommandWithExamples)(value)
        return typer.main.get_command(app)

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Parse the arguments with the command itself, which the context then invokes."""
        return self.load().make_context(*arguments, **options)


def split_examples(docstring: str) -> tuple[str, list[str]]:
    """Return the text before the line "Examples:", and the commands after it."""
    text, _, rest = inspect.cleandoc(docstring).partition(f"\n{EXAMPLES_HEADING}\n")
    return text.strip(), [line.strip() for line in rest.splitlines() if line.strip()]


class _CommandWithExamples(_WholeSummary):
    """Shows the examples of its docstring below its help; configures logging when it runs.

    The help itself needs neither structlog nor settings.
    """

    def __init__(self, *arguments: Any, help: str | None = None, **options: Any) -> None:  # noqa: A002 - Click's name
        text, self.examples = split_examples(help or "")
        if self.examples:
            # Click keeps the lines of a paragraph that starts with \b
            lines = [f"  {example}" for example in self.examples]
            options["epilog"] = "\n".join(["\b", EXAMPLES_HEADING, *lines])
        super().__init__(*arguments, help=text, **options)

    owns_process: ClassVar = False
    """Whether `run_app` runs the command, so that logging and garbage are ours to configure."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Parse the arguments; refuse numbers that nothing can compute with or store."""
        context = super().make_context(*arguments, **options)
        parameter: Any  # Click's class and Typer's have one name in the type hints
        for parameter in self.params:
            value = context.params.get(parameter.name)
            for one in value if isinstance(value, list | tuple) else (value,):
                if isinstance(one, int | float) and not -_LIMIT < one < _LIMIT:
                    raise typer.BadParameter(
                        f"{one} is infinite, no number or too large.", context, parameter
                    )
        return context

    def invoke(self, ctx: Any) -> Any:
        if self.owns_process:
            from genrebase.runtime import logging, settings_check  # structlog takes 0.1 s

            logging.configure(human=None if self.name in _SERVICES else True)
            for sentence in settings_check.unknown_settings():
                Output(as_json=False).warn(sentence)
        return super().invoke(ctx)


def _lazy_group(commands: Mapping[str, str]) -> type[TyperGroup]:
    class LazyGroup(TyperGroup, _WholeSummary):
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
    app: Callable[..., object], exit_process: Callable[[int], object] = os._exit
) -> NoReturn:
    """Run a command line; print a `GenrebaseError` as its message and exit with its code.

    Exit codes: 0 done, 1 failed or stopped half-way, 2 usage error or refused, 3 nothing to do, 4
    blocked by the source; 130 after Ctrl-C, with a message that says what was kept. After Ctrl-C
    the process ends through `exit_process`, which waits for no thread at work.

    The message is written to standard error. With `--json`, a command that has written no document
    writes one with the keys `error` (the message) and `exit_code`.
    """
    _CommandWithExamples.owns_process, Output.wrote_document = True, False
    try:
        exit_code = app(standalone_mode=False) if isinstance(app, typer.Typer) else app()
    except KeyboardInterrupt:
        _exit_interrupted(_DEFAULT_INTERRUPT_MESSAGE, exit_process)
    except CommandInterrupted as error:
        _exit_interrupted(str(error), exit_process)
    except _USAGE_ERRORS as error:
        error.show()
        _write_error_document(error.format_message(), error.exit_code)
        sys.exit(error.exit_code)
    except GenrebaseError as error:
        print_error(str(error))
        _write_error_document(str(error), error.exit_code)
        sys.exit(error.exit_code)
    except (MemoryError, OSError, ImportError) as error:
        shortage = describe_shortage(error)
        if shortage is None:
            raise
        print_error(shortage)
        _write_error_document(shortage, exit_codes.FAILED)
        sys.exit(exit_codes.FAILED)
    finally:
        _CommandWithExamples.owns_process = False
        gc.freeze()  # spares the process its last search for garbage, 0.1 s
    if exit_code == exit_codes.INTERRUPTED:  # Typer turns Ctrl-C into this
        _exit_interrupted(_DEFAULT_INTERRUPT_MESSAGE, exit_process)
    sys.exit(0)


def _write_error_document(message: str, exit_code: int) -> None:
    if "--json" in sys.argv[1:] and not Output.wrote_document:
        Output(as_json=True).write_json({"error": message, "exit_code": exit_code})


def _exit_interrupted(message: str, exit_process: Callable[[int], object]) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not cost the message
    print_error(message)
    with suppress(OSError, ValueError):  # the reader of the pipe is gone
        _write_error_document(message, exit_codes.INTERRUPTED)
        sys.stdout.flush()
        sys.stderr.flush()
    exit_process(exit_codes.INTERRUPTED)
    sys.exit(exit_codes.INTERRUPTED)
