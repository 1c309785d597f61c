"""How to install the optional libraries: the command that README shows."""


def install_hint(extra: str) -> str:
    """Return a sentence with the command that installs an extra of `pyproject.toml`."""
    return f"In the clone: pip install -c constraints.txt -e '.[{extra}]'"
