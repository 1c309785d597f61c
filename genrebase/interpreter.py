"""Run modules of ours in this Python, without modules of the working folder.

`python -m` looks for modules in the working folder first: a file `web.py` there would be imported
instead of the package `web`. This module imports only what Python has imported when it starts.
"""

import os
import sys

_PACKAGES = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # noqa: PTH120 - as above
"""The folder that our packages are in."""


def module_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module in a process of this Python.

    The working folder stays if our packages are in it: a checkout that is not installed.
    """
    options = [] if os.path.realpath(os.curdir) == _PACKAGES else ["-P"]
    return [sys.executable, *options, "-m", module, *arguments]


def leave_out_working_folder() -> None:
    """Do as `-P` does in a process that `python -m` has started without it.

    The folder stays if our packages are in it, as above.
    """
    if not sys.flags.safe_path and sys.path and os.path.realpath(sys.path[0]) != _PACKAGES:
        del sys.path[0]
