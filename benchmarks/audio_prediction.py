"""Train a champion on audio files and predict the genres of other files, end to end.

    python -m benchmarks.audio_prediction FOLDER [--genre-from CSV] [--artists 30] [--songs 4]

Generates audio of three synthetic genres, imports it, trains on its descriptors and predicts the
files of FOLDER, first as files, then imported (with the genres of a table, if one is given): the
predictions of the imported tracks are rows of the view `predictions`, and equal the first ones.
Every step is a command. The genres are synthetic, so predictions for real music have no meaning:
this tests the pipeline, not the accuracy.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from sqlalchemy import select

from genrebase.settings import child_environment
from genrebase.store import views
from genrebase.store.engine import make_engine, read_transaction
from tests import synthetic_audio
from tests.synthetic_audio import Samples

_SECONDS: Final = 4.0
_SEED: Final = 2026


def _beats(random: np.random.Generator) -> Samples:
    return synthetic_audio.clicks(random.uniform(125, 145), _SECONDS)


def _chords(random: np.random.Generator) -> Samples:
    bpm, key = random.uniform(80, 110), int(random.integers(12))
    return synthetic_audio.song(key, 1, bpm=bpm, seconds=_SECONDS)


def _notes(random: np.random.Generator) -> Samples:
    pitches = random.integers(-12, 13, 4)
    tones = [synthetic_audio.tone(pitch, _SECONDS / 4) for pitch in pitches]
    return np.concatenate(tones) * np.float32(0.3)


GENRES: Final[Mapping[str, Callable[[np.random.Generator], Samples]]] = {
    "beats": _beats,
    "chords": _chords,
    "notes": _notes,
}


def generate(folder: Path, artists: int, songs: int) -> int:
    """Write the songs of all artists, each with its own noise; return their number."""
    random = np.random.default_rng(_SEED)
    for genre, make in GENRES.items():
        (folder / genre).mkdir(parents=True)
        for artist in range(artists):
            for song in range(songs):
                samples = make(random)
                samples = samples + random.normal(0, 0.02, len(samples)).astype(np.float32)
                name = f"{genre} band {artist} - Song {song}.flac"
                synthetic_audio.write(folder / genre / name, samples)
    return len(GENRES) * artists * songs


class Commands:
    """Runs commands on one database."""

    def __init__(self, url: str) -> None:
        self._environment = child_environment(STORE_URL=url)

    def __call__(self, package: str, *arguments: str) -> Any:
        """Run a command and return its JSON; raise `CalledProcessError` if it fails."""
        ran = subprocess.run(
            [sys.executable, "-m", package, *arguments, "--json"],
            env=self._environment,
            stdout=subprocess.PIPE,
            check=True,
        )
        return json.loads(ran.stdout)


def stored(url: str) -> Iterator[tuple[str, str | None, str, float]]:
    """Yield title, label, predicted genre and probability of every track that is not generated."""
    engine = make_engine(url)
    prediction, track = views.predictions.c, views.tracks.c
    query = (
        select(track.title, track.label, prediction.genre, prediction.probability)
        .join_from(views.tracks, views.predictions, prediction.track_id == track.track_id)
        .where(track.title.not_like("Song %"))
        .order_by(track.title)
    )
    with read_transaction(engine) as connection:
        rows = connection.execute(query).all()
    engine.dispose()
    for row in rows:
        yield row.title, row.label, row.genre, row.probability


def _format_prediction(name: str, genre: str, probability: float) -> str:
    return f"{name:36} {genre:8} {probability:.3f}"


def main() -> None:
    """Run all steps."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--genre-from", default=None)
    parser.add_argument("--artists", type=int, default=30)
    parser.add_argument("--songs", type=int, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        url = f"sqlite:///{place}/a.db"
        run, music = Commands(url), Path(place, "music")
        made = generate(music, options.artists, options.songs)
        run("genrebase", "migrate")
        imported = run("collector", "import-audio", str(music), "--genre-from", "folder")
        print(f"{made} generated files of {len(GENRES)} genres, analysed: {imported['heard']}")
        trained = run(
            "classifier", "train", "--features", "descriptors", "--estimator", "logistic"
        )
        print(f"model {trained['id']}: {trained['status']} ({trained['reason']})")
        result = run("classifier", "predict", "--audio", str(options.folder))
        print(f"predictions: {len(result['answers'])}, unreadable: {len(result['unreadable'])}")
        for prediction in result["answers"]:
            name, probability = Path(prediction["file"]).name, prediction["probability"]
            print(f"  {_format_prediction(name, prediction['genre'], probability)}")
        table = () if options.genre_from is None else ("--genre-from", options.genre_from)
        imported = run("collector", "import-audio", str(options.folder), *table)
        run("classifier", "predict")
        print(f"imported: {imported['heard']}; their rows in `predictions`:")
        for title, label, genre, probability in stored(url):
            print(f"  {_format_prediction(title, genre, probability)} (label: {label or 'none'})")


if __name__ == "__main__":
    main()
