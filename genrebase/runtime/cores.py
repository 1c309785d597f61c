"""Count the cores that a process may use; `classifier.threads` limits threads to them."""

import os


def usable_cores() -> int:
    """Return the cores of this process's affinity, or of the computer."""
    if hasattr(os, "sched_getaffinity"):  # Linux only
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
