"""The option `--licence` of the commands that import."""

from typing import Annotated

import typer

from genrebase import licences
from genrebase.errors import UserError

LicenceOption = Annotated[
    str | None,
    typer.Option(
        "--licence",
        metavar="NAME",
        help="The licence of the imported labels and features, such as cc-by-4.0, cc0, or an "
        "address at creativecommons.org; rows and files with a licence of their own keep it. "
        "`classifier train --licence` uses it.",
    ),
]


def checked_licence(text: str | None) -> str | None:
    """Return the name of a licence that a user gave; raise `UserError` for one that is none."""
    if text is None:
        return None
    name = licences.parse_licence(text)
    if name == licences.UNKNOWN != text.strip().lower():
        raise UserError(
            f"{text!r} is not a licence that has a name here. Give one such as cc-by-4.0, "
            f"cc-by-nc-sa-3.0, {', '.join(licences.NAMED)}, or its address at creativecommons.org."
        )
    return name
