"""Audio import: files per second and memory per process; accuracy of tempo and key.

    python -m benchmarks.audio_import FOLDER [--copies 3] [--workers 2] [--long]
    python -m benchmarks.audio_import --rates

The first form imports copies of the files of FOLDER at several pitches (so that none is skipped as
a duplicate) into a temporary database, and prints files per second and the peak memory of the
largest process; `--long` adds a file of three hours. The second generates audio of known tempo and
key, and prints the number of correct estimates.
"""

import argparse
import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from collector.imports.audio import AudioImportRequest, import_audio
from collector.imports.records import ImportContext
from genrebase.audio import frame_features, keys, rhythm
from genrebase.runtime.clock import SystemClock
from genrebase.store import schema_upgrade
from genrebase.store.engine import make_engine
from tests import synthetic_audio

_HOURS: Final = 3


def import_all(folder: Path, copies: int, workers: int, *, long: bool) -> None:
    """Import a folder's files at several pitches, and print the speed."""
    with tempfile.TemporaryDirectory() as place:
        music = Path(place, "music")
        music.mkdir()
        seconds = sum(_copies(folder, music, copies))
        if long:
            seconds += _long(music / "three hours.flac")
        url = f"sqlite:///{place}/a.db"
        schema_upgrade.upgrade(url)
        engine = make_engine(url)
        peaks = [0.0]

        def record_peaks(*_progress: float | None, **_details: object) -> None:
            peaks.extend(_peaks())

        request = AudioImportRequest(music, workers=workers)
        result = import_audio(ImportContext(engine, SystemClock(), record_peaks), request)
        engine.dispose()
    print(
        f"{result.analysed} files ({seconds / 60:.0f} minutes of audio) in {result.seconds:.1f} s "
        f"with {workers} processes: {result.files_per_second:.2f} files/s, "
        f"{seconds / result.seconds:.0f} times real time"
    )
    print(f"peak memory of a process: {max(peaks):.0f} MB; unreadable: {len(result.unreadable)}")


def _peaks() -> Iterator[float]:
    """Yield the peak memory of each child process, in MB (Linux)."""
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
            if int(fields["PPid"]) == os.getpid() and "VmHWM" in fields:
                yield int(fields["VmHWM"].split()[0]) * 1024 / 1e6


def _copies(folder: Path, into: Path, copies: int) -> Iterator[float]:
    for path in sorted(folder.iterdir()):
        samples, rate = soundfile.read(path, dtype="float32")
        for number in range(copies):
            higher = round(rate * 2 ** (number / 12))  # by `number` semitones
            synthetic_audio.write(into / f"{path.stem} {number}.flac", samples, rate=higher)
            yield len(samples) / higher


def _long(path: Path) -> float:
    rate, minute = 8_000, synthetic_audio.song(0, 1, seconds=60.0)[:: 44_100 // 8_000]
    with soundfile.SoundFile(path, "w", rate, 1) as file:
        for _ in range(_HOURS * 60):
            file.write(minute)
    return _HOURS * 3_600.0


def print_accuracy() -> None:
    """Print how often the estimates of tempo and key are correct."""
    tempos = [60.0, *np.arange(70.0, 201.0, 10.0)]
    right, octave = 0, 0
    for bpm in tempos:
        onsets = rhythm.onset_strength(
            frame_features.compute_frames(synthetic_audio.clicks(bpm, 12.0)).mel
        )
        estimate = rhythm.estimate_tempo(onsets) or 0.0
        near = [abs(estimate / (bpm * times) - 1) < 0.02 for times in (1.0, 0.5, 2.0)]
        right += near[0]
        octave += any(near)
    print(
        f"tempo within 2%: {right} of {len(tempos)} beats of 60 to 200 BPM; counting half and "
        f"double as correct: {octave}"
    )
    exact = tonic = 0
    songs = list(itertools.product(range(12), (1, 0)))
    for key, mode in songs:
        samples = synthetic_audio.song(key, mode, seconds=8.0)
        key_estimate = keys.estimate_key(frame_features.compute_frames(samples).fma["chroma_cqt"])
        exact += key_estimate is not None and key_estimate[:2] == (key, mode)
        tonic += key_estimate is not None and key_estimate[0] == key
    print(f"key and mode: {exact} of {len(songs)} cadences; the tonic: {tonic}")


def main() -> None:
    """Run the requested measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--copies", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--rates", action="store_true")
    options = parser.parse_args()
    if options.folder is not None:
        import_all(options.folder, options.copies, options.workers, long=options.long)
    if options.rates:
        print_accuracy()


if __name__ == "__main__":
    main()
