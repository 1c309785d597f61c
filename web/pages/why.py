"""Why a prediction: the champion's probabilities with groups of the track's inputs hidden."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from classifier.serving.hidden_inputs import HiddenPrediction
from genrebase.errors import GenrebaseError
from web import svg
from web.page_sections import Section

_COLUMNS: Final = ("inputs", "genre", "probability", "claim", "claim_probability")
_NAMES: Final = {
    "artists": "the artists",
    "title": "the title",
    "album": "the album",
    "popularity": "popularity",
    "release": "year and length",
    "sound": "the sound",
}
"""The groups of inputs as people call them."""

Explained = Sequence[HiddenPrediction] | GenrebaseError | None


def explained(track: str, explain: Callable[[str], Sequence[HiddenPrediction]]) -> Explained:
    """Return the predictions with inputs hidden, or why there are none."""
    try:
        return explain(track)
    except GenrebaseError as error:
        return error


def evidence(
    found: Explained, first: Mapping[str, Any] | None, claim: str | None
) -> tuple[Section, dict[str, Any]]:
    """Return a row per prediction, and what the template shows: pictures, or the problem."""
    problem = str(found) if isinstance(found, GenrebaseError) else ""
    predictions = () if isinstance(found, GenrebaseError) or first is None else found or ()
    genre = first["genre"] if first else ""
    rows = tuple(
        (
            " ".join(part for part in (one.kind, one.group) if part),
            genre,
            one.probabilities.get(genre),
            claim,
            one.probabilities.get(claim or ""),
        )
        for one in predictions
    )
    rows_of_genres = [_row(one, genre, claim) for one in predictions]
    for row, before in zip(rows_of_genres[1:], rows_of_genres, strict=False):
        row["starts_group"] = row["kind"] == "only" != before["kind"]
    return Section("why", _COLUMNS, rows), {"why_rows": rows_of_genres, "why_problem": problem}


def _row(one: HiddenPrediction, genre: str, claim: str | None) -> dict[str, Any]:
    name = _NAMES.get(one.group or "", one.group)
    share = one.probabilities.get(genre)
    other = one.probabilities.get(claim) if claim is not None and claim != genre else None
    return {
        "kind": one.kind,
        "name": "everything" if one.kind == "all" else f"{one.kind} {name}",
        "probability": share,
        "picture": svg.lollipop(share or 0.0, other),
        "starts_group": False,
    }
