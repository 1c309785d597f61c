"""What is this? The champion's prediction for a described track; nothing is stored."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from classifier.records import TrackPrediction
from classifier.serving.predict import NUMERIC_INPUTS, NUMERIC_RANGES, TrackDescription
from genrebase.errors import UserError
from web import svg
from web.pages import PageRequest
from web.sections import Page, Section, by_name

TEXTS: Final = ("title", "artists", "album")
_VALUES: Final = {
    "key": "0 (C) to 11 (B)",
    "mode": "0 minor, 1 major",
    "loudness": "in dB",
    "tempo": "in BPM",
    "time_signature": "beats per bar",
    "release_year": "such as 1999",
    "duration_ms": "milliseconds",
    "explicit": "0 no, 1 yes",
}
"""Values of inputs whose range does not say what they are."""
_COLUMNS: Final = ("rank", "genre", "probability")


@dataclass(slots=True)
class _Form:
    """What the form contains."""

    values: dict[str, str]
    numbers: dict[str, float] = field(default_factory=dict)
    problem: str = ""


def page(request: PageRequest) -> Page:
    """Return the form, and the prediction if the address describes a track.

    `?title=`, `?artists=` (separated by semicolons), `?album=`, and the numeric features.
    """
    form = _read(request.query)
    prediction = None
    if isinstance(request.predicted, UserError):
        form.problem = form.problem or str(request.predicted)
    else:
        prediction = request.predicted
    rows = tuple(
        (rank, genre, share) for rank, (genre, share) in enumerate(top(prediction), start=1)
    )
    return Page(
        "Predict",
        "predict.html",
        by_name(Section("prediction", _COLUMNS, rows), _model(prediction)),
        {
            "values": form.values,
            "problem": form.problem,
            "prediction": prediction,
            "numbers": [(name, _values_of(name)) for name in NUMERIC_INPUTS],
            "bars": [
                svg.probability(share, "p-ans" if rank == 1 else "p-rest")
                for rank, _genre, share in rows
            ],
        },
        422 if form.problem else 200,
    )


def predicted(
    query: Mapping[str, str], predict: Callable[[TrackDescription], TrackPrediction]
) -> TrackPrediction | UserError | None:
    """Return the prediction for the track that an address describes, or why there is none.

    It may wait for other predictions: call it without a connection to the database.
    """
    form = _read(query)
    if form.problem or not any(form.values.values()):
        return None
    try:
        return predict(_description(form))
    except UserError as error:
        return error


def top(prediction: TrackPrediction | None) -> tuple[tuple[str, float], ...]:
    """Return the most probable genres, none without a prediction."""
    return prediction.top if prediction is not None else ()


def _model(prediction: TrackPrediction | None) -> Section:
    """Return the model, and whether it was trained on a credited artist."""
    rows = (
        () if prediction is None else ((prediction.model, prediction.regime, prediction.held_out),)
    )
    return Section("model", ("model", "regime", "held_out"), rows)


def _read(query: Mapping[str, str]) -> _Form:
    form = _Form({name: query.get(name, "").strip() for name in (*TEXTS, *NUMERIC_INPUTS)})
    for name in NUMERIC_INPUTS:
        text = form.values[name]
        if not text:
            continue
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            form.problem = f"{name} is a number, not {text!r}."
        form.numbers[name] = number
    return form


def _description(form: _Form) -> TrackDescription:
    artists = (name.strip() for name in form.values["artists"].split(";"))
    return TrackDescription(
        form.values["title"] or None,
        tuple(name for name in artists if name),
        form.values["album"] or None,
        form.numbers,
    )


def _values_of(name: str) -> str:
    """Return which values a numeric input takes, for people."""
    low, high = NUMERIC_RANGES[name]
    return _VALUES.get(name, f"{low:g} to {high:g}")
