"""What is this? The champion's prediction for a described track; nothing is stored."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from classifier.model_records import TrackPrediction
from classifier.serving.online import Result
from classifier.serving.predict_track import NUMERIC_INPUTS, NUMERIC_RANGES, TrackDescription
from genrebase.errors import UserError
from web import svg
from web.page_sections import Page, Section, by_name
from web.pages import DescribedPrediction, PageRequest

_TEXTS: Final = ("title", "artists", "album")
INPUTS: Final = (*_TEXTS, *NUMERIC_INPUTS)
"""The parameters of the page."""
_VALUES: Final = {
    "key": "0 (C) to 11 (B)",
    "mode": "0 minor, 1 major",
    "loudness": "in dB",
    "tempo": "in BPM",
    "time_signature": "beats per bar",
    "release_year": "such as 1999",
    "duration_ms": "3:30, or milliseconds",
    "explicit": "0 no, 1 yes",
}
"""Values of inputs whose range does not say what they are."""
_DURATION: Final = "duration_ms"
_CLOCK: Final = re.compile(r"([0-9]{1,4}):([0-5][0-9])")
_MILLISECONDS: Final = 1_000
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
    prediction: TrackPrediction | None = None
    without_effect: tuple[str, ...] = ()
    if isinstance(request.predicted, UserError):
        form.problem = form.problem or str(request.predicted)
    elif request.predicted is not None:
        prediction = request.predicted.prediction
        without_effect = request.predicted.without_effect
    rows: list[tuple[int, str, float]] = []
    model: tuple[tuple[Any, ...], ...] = ()
    if prediction is not None:
        rows = [(rank, *share) for rank, share in enumerate(prediction.top, start=1)]
        model = ((prediction.model, prediction.regime, prediction.held_out),)
    return Page(
        "Predict",
        "predict.html",
        by_name(
            Section("prediction", _COLUMNS, tuple(rows)),
            Section("model", ("model", "regime", "held_out"), model),
        ),
        {
            "values": form.values,
            "problem": form.problem,
            "prediction": prediction,
            "without_effect": without_effect,
            "numbers": [(name, _values_of(name)) for name in NUMERIC_INPUTS],
            "bars": [
                svg.probability(share, "p-ans" if rank == 1 else "p-rest")
                for rank, _genre, share in rows
            ],
        },
        422 if form.problem else 200,
    )


def predicted(
    query: Mapping[str, str], predict: Callable[[Sequence[TrackDescription]], Sequence[Result]]
) -> DescribedPrediction | UserError | None:
    """Return the prediction for the track that an address describes, or why there is none.

    It may wait for other predictions: call it without a connection to the database.
    """
    form = _read(query)
    if form.problem or not any(form.values.values()):
        return None
    try:
        described = _description(form)
        (result,) = predict([described])
        if isinstance(result, UserError):
            return result
        return DescribedPrediction(result, _without_effect(described, predict))
    except UserError as error:
        return error


def _without_effect(
    described: TrackDescription, predict: Callable[[Sequence[TrackDescription]], Sequence[Result]]
) -> tuple[str, ...]:
    """Return the numbers without which the model predicts the same.

    All are compared in one call: another call may differ in the last digits.
    """
    names = tuple(described.numbers)
    if not names:
        return ()
    others = [
        replace(described, numbers={one: described.numbers[one] for one in names if one != name})
        for name in names
    ]
    shares = [_shares(result) for result in predict([described, *others])]
    return tuple(
        name for name, other in zip(names, shares[1:], strict=True) if _is_close(shares[0], other)
    )


def _shares(result: Result) -> dict[str, float]:
    return {} if isinstance(result, UserError) else dict(result.top)


def _is_close(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return one.keys() == other.keys() and all(
        math.isclose(share, other[genre], abs_tol=1e-7) for genre, share in one.items()
    )


def _read(query: Mapping[str, str]) -> _Form:
    form = _Form({name: query.get(name, "").strip() for name in INPUTS})
    if query.keys() & form.values.keys() and not any(form.values.values()):
        form.problem = "Nothing was filled in: give a title, an artist, an album or a number."
    for name in NUMERIC_INPUTS:
        text = form.values[name]
        if not text:
            continue
        number = _number(name, text)
        if name == _DURATION and 0 <= number < _MILLISECONDS:
            form.problem = (
                f"A duration of {text} ms is shorter than a second: write minutes:seconds, such "
                "as 3:30, or milliseconds, such as 210000."
            )
        if not math.isfinite(number):
            form.problem = f"{name} is a number, not {text!r}."
        form.numbers[name] = number
    return form


def _number(name: str, text: str) -> float:
    """Return a number, also from `minutes:seconds` for the duration; NaN for anything else."""
    if name == _DURATION and (match := _CLOCK.fullmatch(text)):
        return (60 * int(match[1]) + int(match[2])) * float(_MILLISECONDS)
    try:
        return float(text)
    except ValueError:
        return math.nan


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
