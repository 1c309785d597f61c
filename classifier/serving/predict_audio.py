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
from classifier.errors import BadChoice
from classifier.records import Answer
from classifier.serving import predict
from classifier.serving.predict import Described
from genrebase.errors import GenrebaseError, NothingToDo

if TYPE_CHECKING:
    from classifier.serving.audio_features import (
        Heard,
        Unheard,
    )  # these bring librosa, of an extra

_KINDS: Final = (
    "aac aif aifc aiff ape au caf flac m4a mp2 mp3 mpc oga ogg opus rf64 snd w64 wav wave wma wv"
)
SUFFIXES: Final = frozenset(f".{kind}" for kind in _KINDS.split())
"""Endings of sound files; those that cannot be decoded are told of, not passed over."""

Told = TypeVar("Told")

_NEEDED: Final = ("librosa", "mutagen", "soundfile", "soxr")
_AHEAD: Final = 4
"""Files waiting per process: what was heard of all would fill the memory."""

Progress = Callable[[int, int], None]
"""Told (done, of how many) files."""


class Unanswered(GenrebaseError):
    """The one file that was asked about is no sound."""


@dataclass(frozen=True, slots=True)
class Listened:
    """What was said about some files."""

    answers: tuple[tuple[str, Answer], ...]
    """(file, answer), in the order of the files."""
    unheard: tuple[tuple[str, str], ...]
    """(file, reason)."""
    hears: bool
    """The model learned from what is heard in files; else it knows little of them."""

    def as_json(self) -> dict[str, Any]:
        """Return what `predict --audio FOLDER --json` shows."""
        return {
            "answers": [{"file": file, **answer.as_json()} for file, answer in self.answers],
            "unreadable": [{"file": file, "reason": reason} for file, reason in self.unheard],
        }


def run(
    database: Database,
    path: Path,
    *,
    task: str = "main",
    workers: int = 1,
    progress: Progress = lambda _done, _of: None,
) -> Listened:
    """Listen to a file, or to all in a folder, and answer; nothing is stored.

    A sound that the database knows gets the answer of its track. Raise `BadChoice` without the
    extra `audio` or without such a file, `NothingToDo` for a folder without sound, `NoChampion`.
    """
    require(_NEEDED)
    from classifier.serving.audio_features import Heard  # this brings librosa, of an extra

    files = find(path)
    asked = predict.Describing(database, task)
    answers, unheard = [], []
    for done, heard in enumerate(_hear_all(files, workers), start=1):
        if isinstance(heard, Heard):
            answers.append((heard.file, asked.sound(heard.digest, _described(heard))))
        else:
            unheard.append((heard.file, heard.reason))
        progress(done, len(files))
    if path.is_file() and unheard:
        raise Unanswered(f"{unheard[0][0]}: {unheard[0][1]}")
    return Listened(tuple(answers), tuple(unheard), asked.hears)


def require(libraries: Sequence[str]) -> None:
    """Raise `BadChoice` where one is not installed."""
    missing = [name for name in libraries if find_spec(name) is None]
    if missing:
        raise BadChoice(
            f"Listening to files needs {', '.join(missing)}: pip install 'genrebase[audio]'."
        )


def find(path: Path) -> list[Path]:
    """Return the file, or the sound files of a folder in the order of their names."""
    if not path.exists():
        raise BadChoice(f"{path}: there is no such file or folder.")
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


def _described(heard: "Heard") -> Described:
    tags = heard.tags
    return Described(
        tags.title or Path(heard.file).stem,
        tags.artists,
        tags.album or None,
        heard.numbers,
        {**heard.sound, "provider": "audio", "logmel": heard.spectrum},
    )


def _hear_all(files: Sequence[Path], workers: int) -> "Iterator[Heard | Unheard]":
    from classifier.serving.audio_features import Unheard, hear  # this brings librosa, of an extra

    if len(files) == 1 or workers == 1:
        yield from map(hear, files)
        return
    for file, one in zip(files, side_by_side(hear, files, workers), strict=True):
        yield Unheard(str(file), "the process that listened to it died.") if one is None else one


def side_by_side(
    hear: Callable[[Path], Told], files: Sequence[Path], workers: int
) -> Iterator[Told | None]:
    """Yield what `hear` says of each file, in their order; None for one that kills its process."""
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
