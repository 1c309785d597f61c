"""Analyse audio files on the workers of a cluster, which read them from the same paths.

What they extract is recorded by the command, in the order of the files, as without a cluster. Each
worker analyses in a process of its own: a file that crashes a decoder costs that file only.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile
from typing import Any

from genrebase.audio.records import AudioAnalysis, ExtractionPlan, UnreadableFile
from genrebase.audio.scan import AudioFile, display_path
from genrebase.audio.workers import AnalysisWorker
from genrebase.errors import UserError
from genrebase.runtime.cluster import Cluster


def analyse_on_cluster(
    cluster: Cluster,
    files: Iterable[AudioFile],
    _n_workers: int,
    plan: ExtractionPlan,
    stop_requested: Callable[[], bool],
) -> Iterator[tuple[AudioFile, AudioAnalysis | UnreadableFile]]:
    """Yield the analysis of each file in the order given, by processes of the cluster.

    After a stop request no further file is sent; those sent before are yielded. Raises
    `GenrebaseError` if a worker does not have the folder of a file.
    """
    shared = cluster.share(FileAnalyser(plan))
    begun = takewhile(lambda _: not stop_requested(), files)
    yield from cluster.results_in_order(FileAnalyser.analyse, begun, shared)


class FileAnalyser:
    """Analyses files in processes that a worker of a cluster keeps for the whole import."""

    def __init__(self, plan: ExtractionPlan) -> None:
        """Extract what `plan` says."""
        self._plan = plan
        self._idle: list[AnalysisWorker] = []

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs."""
        return {"_plan": self._plan, "_idle": []}

    def __del__(self) -> None:
        """End the processes when the worker needs this no longer."""
        for process in self._idle:
            process.close()

    def analyse(self, file: AudioFile) -> AudioAnalysis | UnreadableFile:
        """Return the analysis of a file, or the reason why it failed."""
        if not file.path.parent.is_dir():
            raise UserError(
                f"A worker of the cluster has no folder {display_path(file.path.parent)}: all "
                "workers must read the files from the same path as this command."
            )
        for model, _ in self._plan.models:
            if not model.network.is_file():
                raise UserError(
                    f"A worker of the cluster has no file {model.network}: all workers must read "
                    "the models of GENREBASE_AUDIO_MODELS from the same path as this command."
                )
        process = self._idle.pop() if self._idle else AnalysisWorker(self._plan)
        try:
            result = process.analyse(file)
        finally:
            self._idle.append(process)
        assert result is not None  # noqa: S101 - None is for a stop, which nobody requests here
        return result
