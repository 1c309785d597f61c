"""Analysis of audio files on the workers of a cluster."""

import pickle
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from collector.imports.cluster_audio import FileAnalyser, analyse_on_cluster
from genrebase.audio.records import ExtractionPlan, UnreadableFile
from genrebase.audio.scan import AudioFile
from genrebase.errors import UserError


class OneProcess:
    """A cluster that does the work in this process, one file ahead."""

    def __init__(self) -> None:
        self.started: list[Path] = []

    def share(self, value: Any) -> Any:
        return pickle.loads(pickle.dumps(value))

    def results_in_order(
        self, _function: Callable[..., Any], files: Iterable[AudioFile], shared: FileAnalyser
    ) -> Iterator[tuple[AudioFile, UnreadableFile]]:
        assert isinstance(shared, FileAnalyser)
        for file in files:
            self.started.append(file.path)
            yield file, UnreadableFile(str(file.path), "it is only a test", needs_ffmpeg=False)


def a_file(folder: Path, name: str) -> AudioFile:
    return AudioFile(folder / name, name, 1, 1)


def test_no_file_is_sent_after_a_stop_request(tmp_path: Path) -> None:
    """Those that were sent are yielded, in the order given."""
    files = [a_file(tmp_path, f"{number}.wav") for number in range(5)]
    cluster = OneProcess()
    analyse = partial(analyse_on_cluster, cluster)  # type: ignore[arg-type]  # has what is used
    results = list(analyse(files, 1, ExtractionPlan(), lambda: len(cluster.started) == 2))
    assert [file for file, _ in results] == files[:2]


def test_a_worker_without_the_folder_is_a_sentence(tmp_path: Path) -> None:
    """The file is not counted as unreadable: it would be with the folder."""
    with pytest.raises(UserError, match="has no folder"):
        FileAnalyser(ExtractionPlan()).analyse(a_file(tmp_path / "elsewhere", "a.wav"))
