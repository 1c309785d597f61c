"""Numbers of things in messages."""


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: `1 track`, `2,000 tracks`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
