"""Operations on the labels that people give to a track (verdicts), guarded by its ETag."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic import Field
from sqlalchemy import Connection, Engine

from collector.catalogue.verdicts import Verdict
from collector.curation import verdicts
from collector.datasets.parsing.genre_names import MAX_IMPORTED_LENGTH
from genrebase.store.engine import read_transaction
from web.api.operations import ApiCall, ApiResult, Operation, Problem, Schema
from web.page_sections import query
from web.pages import track
from web.problems import NotFound

_IF_MATCH: Final = {
    "If-Match": "The ETag of the track's labels, as a read returned it; `*`: whatever they are."
}
_ETAG: Final = {"ETag": "Of the track's labels: send it as If-Match to change them."}


class LabelRequest(Schema):
    """The genre that a person gives to a track."""

    genre: str = Field(min_length=1, max_length=MAX_IMPORTED_LENGTH, description="A stored genre.")
    note: str | None = Field(None, max_length=verdicts.MAX_NOTE_LENGTH)


class Label(Schema):
    """A person's label of a track."""

    labelled_by: str
    genre: str
    labelled_at: str
    note: str | None


class Labels(Schema):
    """The labels of a track, the latest first."""

    track_id: int
    verdicts: list[Label]


def etag_of(labels: Sequence[Mapping[str, Any]]) -> str:
    """Return the ETag of a track's labels: other labels have another one."""
    content = sorted(
        (one["labelled_by"], one["genre"], one["labelled_at"].isoformat(), one["note"] or "")
        for one in labels
    )
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    return f'"{digest[:32]}"'


def read(call: ApiCall) -> ApiResult:
    """Return the labels that people gave to a track."""
    with read_transaction(call.context.reader) as connection:
        return _labels(connection, track.id_of(connection, call.path["track"]))


def put(call: ApiCall) -> ApiResult:
    """Label a track as a person; it replaces the same person's label."""
    writer, track_id = call.writer(), _existing_track(call)
    verdicts.add(
        writer,
        call.context.clock,
        str(track_id),
        call.body.genre,
        call.path["person"],
        call.body.note,
        check=_condition(call),
    )
    return _stored(writer, track_id)


def delete(call: ApiCall) -> ApiResult:
    """Remove a person's label of a track."""
    writer, track_id = call.writer(), _existing_track(call)
    with read_transaction(writer) as connection:
        people = {row["labelled_by"] for row in _rows(connection, track_id)}
    person = call.path["person"]
    if person not in people:
        raise NotFound(f"Track {track_id} has no label by {person!r}.")
    verdicts.remove(writer, str(track_id), person, check=_condition(call))
    return _stored(writer, track_id)


def _condition(call: ApiCall) -> Callable[[Sequence[Verdict]], None]:
    """Return a check that the labels are those that the client has read."""
    header = call.request.headers.get("if-match", "").strip()
    if not header:
        raise Problem(
            428, "Send the header If-Match with the ETag of the track's labels, or with *."
        )
    allowed = {tag.strip() for tag in header.split(",")}

    def check(labels: Sequence[Verdict]) -> None:
        rows = [
            {"labelled_by": one.by, "genre": one.genre, "labelled_at": one.at, "note": one.note}
            for one in labels
        ]
        if "*" not in allowed and etag_of(rows) not in allowed:
            raise Problem(412, "The labels were changed since you read them: read them again.")

    return check


def _existing_track(call: ApiCall) -> int:
    with read_transaction(call.context.reader) as connection:
        return track.id_of(connection, call.path["track"])


def _stored(engine: Engine, track_id: int) -> ApiResult:
    with read_transaction(engine) as connection:
        return _labels(connection, track_id)


def _labels(connection: Connection, track_id: int) -> ApiResult:
    rows = _rows(connection, track_id)
    return ApiResult({"track_id": track_id, "verdicts": rows}, {"ETag": etag_of(rows)})


def _rows(connection: Connection, track_id: int) -> list[dict[str, Any]]:
    return query(connection, "verdicts", track.VERDICTS, track_id=track_id).records


_PATH_OF_PERSON: Final = "/tracks/{track}/verdicts/{person}"

OPERATIONS: Final = (
    Operation(
        "GET",
        "/tracks/{track}/verdicts",
        "readVerdicts",
        read,
        Labels,
        response_headers=_ETAG,
        problems=(404,),
    ),
    Operation(
        "PUT",
        _PATH_OF_PERSON,
        "putVerdict",
        put,
        Labels,
        body=LabelRequest,
        request_headers=_IF_MATCH,
        response_headers=_ETAG,
        problems=(404, 408, 412, 413, 415, 428),
    ),
    Operation(
        "DELETE",
        _PATH_OF_PERSON,
        "deleteVerdict",
        delete,
        Labels,
        request_headers=_IF_MATCH,
        response_headers=_ETAG,
        problems=(404, 412, 428),
    ),
)
