"""The operation that predicts an audio file: a process of its own decodes it."""

from pathlib import Path
from threading import Semaphore
from typing import Any, Final

from starlette.concurrency import run_in_threadpool

from classifier.data import dataset
from classifier.serving.online import Item
from classifier.serving.predict_audio import find_networks
from classifier.serving.predict_track import AUDIO_SOURCE
from genrebase.audio import scan
from genrebase.audio.records import AudioAnalysis, ExtractionPlan
from genrebase.errors import UserError, as_clause
from web.api.operations import ApiCall, Operation, Problem
from web.api.predictions import Prediction, as_document
from web.api.uploads import uploaded_file
from web.predictor import Overloaded

_MEDIA_TYPES: Final = frozenset(
    {"application/octet-stream", "audio/aac", "audio/flac", "audio/mp4", "audio/mpeg", "audio/ogg",
     "audio/wav", "audio/x-wav"}
)  # fmt: skip
_SECONDS_PER_FILE: Final = 10.0
_one_at_a_time: Final = Semaphore(1)


class AudioPrediction(Prediction):
    """The prediction for an audio file."""

    remarks: list[str]
    """What was lost or corrected when it was decoded."""


async def predict_audio(call: ApiCall) -> dict[str, Any]:
    """Predict an audio file; neither it nor its features are stored."""
    scan.require_libraries()
    if not _one_at_a_time.acquire(blocking=False):
        raise Overloaded(_SECONDS_PER_FILE)
    try:
        async with uploaded_file(call.request, _MEDIA_TYPES) as file:
            item, remarks = await run_in_threadpool(_analyse, call, Path(file.name))
    finally:
        _one_at_a_time.release()
    (result,) = await call.context.predictor.predict_later([item])
    if isinstance(result, UserError):
        raise result
    return {**as_document(result), "remarks": remarks}


def _analyse(call: ApiCall, path: Path) -> tuple[Item, list[str]]:
    """Return the track that a file is, by its audio if it is stored, and remarks."""
    from classifier.serving import audio_features  # librosa, of the extra, takes seconds to import
    from genrebase.audio.workers import analyse_files

    (file,) = scan.find_audio_files(path).files
    networks = find_networks(call.context.reader, call.context.predictor.models().descriptor_sets)
    plan = ExtractionPlan(models=tuple((network, frozenset()) for network in networks))
    limit = _SECONDS_PER_FILE * 6
    ((_, analysis),) = analyse_files([file], 1, plan, lambda: False, time_limit=lambda _: limit)
    if not isinstance(analysis, AudioAnalysis):
        raise Problem(422, f"The file cannot be analysed: {as_clause(analysis.reason)}.")
    stored = dataset.track_with_alias(call.context.reader, AUDIO_SOURCE, analysis.digest)
    item = audio_features.describe("", analysis, networks) if stored is None else str(stored)
    return item, [str(remark) for remark in analysis.remarks]


OPERATIONS: Final = (
    Operation(
        "POST",
        "/predict/audio",
        "predictAudio",
        predict_audio,
        AudioPrediction,
        body_media_type="application/octet-stream",
        problems=(408, 413, 415, 429),
    ),
)
