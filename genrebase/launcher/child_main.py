"""Run a module as `python -m` does, and stop when the parent process closes standard input.

Standard input is a pipe that the parent holds open. When it ends, because the parent closed it or
died, this process stops as on SIGTERM: no child outlives its parent, and a graceful stop exists on
every system.
"""

import os
import runpy
import signal
import sys
from threading import Thread
from typing import Final

CHILD_MODULE: Final = "genrebase.launcher.child_main"
"""The name of this module: it is run as `__main__`."""
SERVICE_OPTION: Final = "--service"
"""Before the module: its job runs are a daemon's own, and count for the daemon's health."""

_STDIN: Final = 0
_READ_SIZE: Final = 4096


def watch_parent() -> None:
    """Wait until standard input ends, then stop this process as SIGTERM does."""
    try:
        while os.read(_STDIN, _READ_SIZE):
            pass
    except OSError:  # no standard input: no parent to watch
        return
    if sys.platform != "win32":
        os.kill(os.getpid(), signal.SIGTERM)
    elif signal.getsignal(signal.SIGTERM) in {signal.SIG_DFL, signal.SIG_IGN}:
        os._exit(0)  # no handler is installed: nothing to finish
    else:
        import _thread  # a signal from another process does not exist on Windows

        _thread.interrupt_main(signal.SIGTERM)


def main() -> None:
    """Run the module in the first argument (after `--service`) with the remaining arguments."""
    module, *arguments = sys.argv[1:]
    if module == SERVICE_OPTION:
        module, *arguments = arguments
        from genrebase.runtime.jobs import mark_service_process  # imports SQLAlchemy

        mark_service_process()
    Thread(target=watch_parent, name="watch-parent", daemon=True).start()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
