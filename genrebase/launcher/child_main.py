"""Run a module as `python -m` does, and stop with the process that started it.

Standard input is a pipe that the parent holds open. When it ends, because the parent closed it or
died in whatever way, this process is told to stop as by a signal: no child outlives its parent,
and a stop that is clean exists on every system.
"""

import os
import runpy
import signal
import sys
from threading import Thread
from typing import Final

_STDIN: Final = 0
_ENOUGH: Final = 4096


def watch_parent() -> None:
    """Wait for the end of standard input, then stop this process as SIGTERM does."""
    try:
        while os.read(_STDIN, _ENOUGH):
            pass
    except OSError:  # no standard input at all: nobody holds us
        return
    if sys.platform != "win32":
        os.kill(os.getpid(), signal.SIGTERM)
    elif signal.getsignal(signal.SIGTERM) in {signal.SIG_DFL, signal.SIG_IGN}:
        os._exit(0)  # nothing has begun that would want to end well
    else:
        import _thread  # a signal from another process does not exist on Windows

        _thread.interrupt_main(signal.SIGTERM)


def main() -> None:
    """Run the module named first, with the arguments that follow."""
    module, *arguments = sys.argv[1:]
    Thread(target=watch_parent, name="watch-parent", daemon=True).start()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
