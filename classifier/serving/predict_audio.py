"""What the champion says about sound files, whether the database knows them or not."""

import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from classifier.data.dataset import Database
from classifier.errors import BadTrainingConfig
from classifier.records import TrackPrediction
from classifier.serving import predict
from classifier.serving.predict import TrackDescription
from genrebase.errors import GenrebaseError, NothingToDo

if TYPE_CHECKING:
    from classifier.serving.audio_features import ExtractedAudio, UnreadableAudioFile

_KINDS: Final = (
    "aac aif aifc aiff ape au caf flac m4a mp2 mp3 mpc oga ogg opus rf64 snd w64 wav wave wma wv"
)
SUFFIXES: Final = frozenset(f".{kind}" for kind in _KINDS.split())
"""Endings of sound files; those that cannot be decoded are told of, not passed over."""

Told = TypeVar("Told")

_NEEDED: Final = ("librosa", "mutagen", "soundfile", "soxr")
_AHEAD: Final = 4
"""Files waiting per process: what was heard of all would fill the memory."""

FileProgress = Callable[[int, int], None]
"""Told (done, of how many) files."""


class UnreadableAudio(GenrebaseError):
    """The one file that was asked about is no sound."""


@dataclass(frozen=True, slots=True)
class AudioPredictions:
    """What was said about some files."""

    predictions: tuple[tuple[str, TrackPrediction], ...]
    """(file, answer), in the order of the files."""
    unreadable: tuple[tuple[str, str], ...]
    """(file, reason)."""
    uses_audio: bool
    """The model learned from what is heard in files; else it knows little of them."""

    def as_json(self) -> dict[str, Any]:
        """Return what `predict --audio FOLDER --json` shows."""
        return {
            "answers": [{"file": file, **answer.as_json()} for file, answer in self.predictions],
            "unreadable": [{"file": file, "reason": reason} for file, reason in self.unreadable],
        }


def predict_files(
    database: Database,
    path: Path,
    *,
    task: str = "main",
    workers: int = 1,
    progress: FileProgress = lambda _done, _of: None,
) -> AudioPredictions:
    """Listen to a file, or to all in a folder, and answer; nothing is stored.

    A sound that the database knows gets the answer of its track. Raise `BadTrainingConfig` without the
    extra `audio` or without such a file, `NothingToDo` for a folder without sound, `NoChampion`.
    """
    require_libraries(_NEEDED)
    from classifier.serving.audio_features import (
        ExtractedAudio,
    )  # this brings librosa, of an extra

    files = find_audio_files(path)
    asked = predict.DescriptionPredictor(database, task)
    answers, unheard = [], []
    for done, heard in enumerate(_hear_all(files, workers), start=1):
        if isinstance(heard, ExtractedAudio):
            answers.append((heard.file, asked.predict_file(heard.digest, _described(heard))))
        else:
            unheard.append((heard.file, heard.reason))
        progress(done, len(files))
    if path.is_file() and unheard:
        raise UnreadableAudio(f"{unheard[0][0]}: {unheard[0][1]}")
    return AudioPredictions(tuple(answers), tuple(unheard), asked.uses_audio)


def require_libraries(libraries: Sequence[str]) -> None:
    """Raise `BadTrainingConfig` where one is not installed."""
    missing = [name for name in libraries if find_spec(name) is None]
    if missing:
        raise BadTrainingConfig(
            f"Listening to files needs {', '.join(missing)}: pip install 'genrebase[audio]'."
        )


def find_audio_files(path: Path) -> list[Path]:
    """Return the file, or the sound files of a folder in the order of their names."""
    if not path.exists():
        raise BadTrainingConfig(f"{path}: there is no such file or folder.")
    if not path.is_dir():
        return [path]
    found = sorted(
        file
        for file in path.rglob("*")
        if file.suffix.lower() in SUFFIXES
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    if not found:
        raise NothingToDo(f"{path} holds no sound files ({' '.join(sorted(SUFFIXES))}).")
    return found


def _described(heard: "ExtractedAudio") -> TrackDescription:
    tags = heard.tags
    return TrackDescription(
        tags.title or Path(heard.file).stem,
        tags.artists,
        tags.album or None,
        heard.numbers,
        {**heard.audio_columns, "provider": "audio", "logmel": heard.logmel},
    )


def _hear_all(
    files: Sequence[Path], workers: int
) -> "Iterator[ExtractedAudio | UnreadableAudioFile]":
    from classifier.serving.audio_features import (
        UnreadableAudioFile,
        extract_features,
    )  # this brings librosa, of an extra

    if len(files) == 1 or workers == 1:
        yield from map(extract_features, files)
        return
    for file, one in zip(files, map_in_processes(extract_features, files, workers), strict=True):
        yield (
            UnreadableAudioFile(str(file), "the process that listened to it died.")
            if one is None
            else one
        )


def map_in_processes(
    hear: Callable[[Path], Told], files: Sequence[Path], workers: int
) -> Iterator[Told | None]:
    """Yield what `extract` says of each file, in their order; None for one that kills its process."""
    rest = list(files)
    while rest:
        told = 0
        try:
            for one in _pooled(hear, rest, workers):
                told += 1
                yield one
        except BrokenProcessPool:  # one of those in hand did it: the first of them is asked alone
            try:
                yield next(_pooled(hear, rest[told : told + 1], 1))
            except BrokenProcessPool:
                yield None
            told += 1
        rest = rest[told:]


def _pooled(hear: Callable[[Path], Told], files: Sequence[Path], workers: int) -> Iterator[Told]:
    with ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),  # not forked: a process with threads must not be
        initializer=signal.signal,  # Ctrl-C reaches the whole group, and we are who answers it
        initargs=(signal.SIGINT, signal.SIG_IGN),
    ) as pool:
        waiting: deque[Future[Told]] = deque()
        try:
            for file in files:
                waiting.append(pool.submit(hear, file))
                if len(waiting) > workers * _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)  # only those in hand are waited for
            raise
