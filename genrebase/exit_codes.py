"""Exit codes of all commands: the classes of errors name them."""

from typing import Final

FAILED: Final = 1
REFUSED: Final = 2
"""The request cannot be carried out as given; nothing was changed."""
NOTHING_TO_DO: Final = 3
BLOCKED: Final = 4
"""The source has banned the client."""
INTERRUPTED: Final = 130
"""Ctrl-C or SIGTERM: 128 + SIGINT, as in shells."""
