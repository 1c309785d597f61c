"""Analysis of audio files in the process of a test."""

from collections.abc import Callable, Iterable, Iterator

from genrebase.audio import worker_main
from genrebase.audio.records import AudioAnalysis, ExtractionPlan, UnreadableFile
from genrebase.audio.scan import AudioFile


class InProcess:
    """Analyses in this process, without a time limit, and records which files."""

    def __init__(self, dies_after: int | None = None) -> None:
        self.analysed: list[str] = []
        self.dies_after = dies_after

    def __call__(
        self,
        files: Iterable[AudioFile],
        workers: int,
        plan: ExtractionPlan,
        stop_requested: Callable[[], bool],
        time_limit: Callable[[AudioFile], float] | None = None,
    ) -> Iterator[tuple[AudioFile, AudioAnalysis | UnreadableFile]]:
        networks = worker_main.load_networks(plan)
        for file in files:
            if stop_requested():
                return
            if len(self.analysed) == self.dies_after:
                raise Killed
            self.analysed.append(file.relative_path)
            yield file, worker_main.analyse(file.path, plan, networks)


class Killed(BaseException):
    """Nothing of the process runs any more."""
