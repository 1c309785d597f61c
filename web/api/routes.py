"""All operations of the API."""

from typing import Any, Final

from pydantic import ConfigDict

from web.api import (
    catalogue,
    jobs,
    openapi,
    predict_audio,
    predict_csv,
    predictions,
    verdicts,
)
from web.api.operations import ApiCall, Operation, Schema

OPERATIONS: Final[tuple[Operation, ...]] = (
    *catalogue.OPERATIONS,
    *jobs.OPERATIONS,
    *verdicts.OPERATIONS,
    *predictions.OPERATIONS,
    *predict_csv.OPERATIONS,
    *predict_audio.OPERATIONS,
)


class OpenApi(Schema):
    """An OpenAPI 3.1 document."""

    model_config = ConfigDict(extra="allow")


def read_document(_call: ApiCall) -> dict[str, Any]:
    """Return the OpenAPI document of this API."""
    return openapi.document(ALL)


ALL: Final = (
    *OPERATIONS,
    Operation("GET", "/openapi.json", "readDocument", read_document, OpenApi),
)
