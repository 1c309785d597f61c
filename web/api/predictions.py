"""The operation that predicts tracks: stored ones by id, others by texts and features."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag, create_model

from classifier.model_records import TrackPrediction
from classifier.serving.champion import GENRES_PER_TRACK
from classifier.serving.online import MAX_ITEMS, Item, Result
from classifier.serving.predict_track import NUMERIC_RANGES, TrackDescription
from genrebase.errors import UserError
from genrebase.store import names
from genrebase.store.find import UnknownTrack
from web.api.operations import ApiCall, Operation, Schema
from web.problems import NOT_FOUND, UNPROCESSABLE, title_of

MAX_ARTISTS: Final = 50
_Text = Annotated[str, StringConstraints(max_length=10_000)]
_ID: Final = "id"


def _features() -> type[Schema]:
    fields: dict[str, Any] = {}
    for name, (minimum, maximum) in NUMERIC_RANGES.items():
        limited = Annotated[float, Field(ge=minimum, le=maximum)]
        fields[name] = (bool | limited | None if name == "explicit" else limited | None, None)
    doc = "Numeric features in the units of the view `scoring_tracks`; null: unknown."
    return create_model("Features", __base__=Schema, __doc__=doc, **fields)


Features: Final = _features()
NOTHING_DESCRIBED: Final = "Nothing is described: give a title, an artist, an album or a feature."


class StoredTrack(Schema):
    """A track of the database."""

    id: Annotated[int, Field(ge=0, lt=2**63)] | Annotated[str, Field(min_length=1, max_length=500)]


class DescribedTrack(Schema):
    """A track that need not be in the database; what is unknown is left out or null."""

    title: _Text | None = None
    artists: list[_Text] = Field([], max_length=MAX_ARTISTS)
    album: _Text | None = None
    features: Features | None = None  # type: ignore[valid-type]


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "stored" if _ID in value else "described"
    return "stored" if isinstance(value, StoredTrack) else "described"


ItemToPredict = Annotated[
    Annotated[StoredTrack, Tag("stored")] | Annotated[DescribedTrack, Tag("described")],
    Discriminator(_kind),
]


class PredictRequest(Schema):
    """Tracks to predict: with an id, or described."""

    items: list[ItemToPredict] = Field(min_length=1, max_length=MAX_ITEMS)
    top: int = Field(GENRES_PER_TRACK, ge=1, le=GENRES_PER_TRACK, description="Genres per track.")


class GenreProbability(Schema):
    """A genre with its probability."""

    genre: str
    probability: float = Field(ge=0, le=1)


class Prediction(Schema):
    """The prediction for a track."""

    track_id: int | None = Field(description="null: the track was described.")
    title: str
    artists: str
    genre: str
    probability: float
    top: list[GenreProbability]
    model_id: int
    regime: Literal["new_artist", "seen_artist", "other", "all"] = Field(
        description="Whether the model was trained on tracks of an artist (seen_artist)."
    )
    in_training: bool = Field(description="It is a training track: predicted out of fold.")
    held_out: Literal["test", "validation"] | None = Field(
        description="What the track, or its artists, are held out for."
    )
    note: str | None = Field(
        description="Which given texts the model does not use, as a sentence; null: it uses all."
    )


class ItemProblem(Schema):
    """Why an item has no prediction."""

    status: int
    title: str
    detail: str


class ItemWithoutPrediction(Schema):
    """An item that could not be predicted; the others are."""

    problem: ItemProblem


class PredictResponse(Schema):
    """A result per item, in their order."""

    results: list[Prediction | ItemWithoutPrediction]


async def predict(call: ApiCall) -> dict[str, Any]:
    """Predict 1 to 1,000 tracks; nothing is stored."""
    request: PredictRequest = call.body
    items = [checked(as_item(one)) for one in request.items]
    wanted = [one for one in items if not isinstance(one, UserError)]
    predicted = iter(await call.context.predictor.predict_later(wanted) if wanted else ())
    results = [one if isinstance(one, UserError) else next(predicted) for one in items]
    return {"results": [as_document(one, request.top) for one in results]}


def checked(item: Item) -> Item | UserError:
    """Return an item, or the error for a description of nothing."""
    is_empty = isinstance(item, TrackDescription) and item.is_empty
    return UserError(NOTHING_DESCRIBED) if is_empty else item


def as_item(track: StoredTrack | DescribedTrack) -> Item:
    """Return what the predictor takes."""
    if isinstance(track, StoredTrack):
        return names.clean(str(track.id))
    given: dict[str, float] = (
        track.features.model_dump(exclude_none=True) if track.features else {}
    )
    numbers = {name: float(value) for name, value in given.items()}
    artists = (names.clean(name) for name in track.artists)
    return TrackDescription(
        _cleaned(track.title),
        tuple(name for name in artists if name),
        _cleaned(track.album),
        numbers,
    )


def as_document(result: Result, top: int = GENRES_PER_TRACK) -> dict[str, Any]:
    """Return a result as `Prediction` or `ItemWithoutPrediction`."""
    if not isinstance(result, TrackPrediction):
        status = NOT_FOUND if isinstance(result, UnknownTrack) else UNPROCESSABLE
        return {"problem": {"status": status, "title": title_of(status), "detail": str(result)}}
    genre, probability = result.top[0]
    return {
        "track_id": result.track,
        "title": result.title,
        "artists": result.artists,
        "genre": genre,
        "probability": probability,
        "top": _top(result.top[:top]),
        "model_id": result.model,
        "regime": result.regime,
        "in_training": result.in_training,
        "held_out": result.held_out,
        "note": result.note,
    }


def _top(shares: Sequence[tuple[str, float]]) -> list[dict[str, Any]]:
    return [{"genre": genre, "probability": share} for genre, share in shares]


def _cleaned(text: str | None) -> str | None:
    return names.clean(text) or None if text is not None else None


OPERATIONS: Final = (
    Operation(
        "POST",
        "/predict",
        "predict",
        predict,
        PredictResponse,
        body=PredictRequest,
        problems=(408, 413, 415, 429),
    ),
)
