"""Set up a worker process of `--on local:N`; Dask calls `dask_setup` when the worker starts."""

import signal
from typing import Any


def dask_setup(_worker: Any) -> None:
    """Ignore Ctrl-C, which a terminal sends to all its processes: the command ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
