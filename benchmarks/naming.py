"""From files to a champion, and from the champion to the genres of other files.

    python -m benchmarks.naming FOLDER [--genre-from CSV] [--artists 30] [--songs 4]

Generates sounds of three genres by so many artists, imports them, trains on their descriptors and
lets the champion name the files of FOLDER, first as they are, then imported (with the genres of a
table, if one is given): what it says of a stored track is a row of the view `predictions`, and the
same. Every step is a command, as anybody types it. Genres are invented, so what is said of real
music means nothing; that it is said is what is shown.
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
    return np.concatenate([synthetic_audio.tone(pitch, _SECONDS / 4) for pitch in pitches]) * 0.3


GENRES: Final[Mapping[str, Callable[[np.random.Generator], Samples]]] = {
    "beats": _beats,
    "chords": _chords,
    "notes": _notes,
}


def generate(folder: Path, artists: int, songs: int) -> int:
    """Write the songs of all artists, noise of their own over each; return how many."""
    random = np.random.default_rng(_SEED)
    for genre, make in GENRES.items():
        (folder / genre).mkdir(parents=True)
        for artist in range(artists):
            for song in range(songs):
                sound = make(random)
                sound = sound + random.normal(0, 0.02, len(sound)).astype(np.float32)
                name = f"{genre} band {artist} - Song {song}.flac"
                synthetic_audio.write(folder / genre / name, sound)
    return len(GENRES) * artists * songs


class Commands:
    """The commands, on a database of their own."""

    def __init__(self, url: str) -> None:
        self._environment = child_environment(STORE_URL=url)

    def __call__(self, package: str, *arguments: str) -> Any:
        """Run a command and return its JSON; raise `CalledProcessError` where it fails."""
        ran = subprocess.run(
            [sys.executable, "-m", package, *arguments, "--json"],
            env=self._environment,
            stdout=subprocess.PIPE,
            check=True,
        )
        return json.loads(ran.stdout)


def stored(url: str) -> Iterator[tuple[str, str | None, str, float]]:
    """Yield title, label, answer and probability of every track that is no generated one."""
    engine = make_engine(url)
    one, track = views.predictions.c, views.tracks.c
    query = (
        select(track.title, track.label, one.genre, one.probability)
        .join_from(views.tracks, views.predictions, one.track_id == track.track_id)
        .where(track.title.not_like("Song %"))
        .order_by(track.title)
    )
    with read_transaction(engine) as connection:
        found = connection.execute(query).all()
    engine.dispose()
    for row in found:
        yield row.title, row.label, row.genre, row.probability


def _shown(name: str, genre: str, probability: float) -> str:
    return f"{name:36} {genre:8} {probability:.3f}"


def main() -> None:
    """Go the whole way."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("folder", type=Path)
    asked.add_argument("--genre-from", default=None)
    asked.add_argument("--artists", type=int, default=30)
    asked.add_argument("--songs", type=int, default=4)
    told = asked.parse_args()
    with tempfile.TemporaryDirectory() as place:
        url = f"sqlite:///{place}/a.db"
        run, music = Commands(url), Path(place, "music")
        made = generate(music, told.artists, told.songs)
        run("genrebase", "migrate")
        heard = run("collector", "import-audio", str(music), "--genre-from", "folder")
        print(f"{made} generated files of {len(GENRES)} genres, heard: {heard['heard']}")
        trained = run(
            "classifier", "train", "--features", "descriptors", "--estimator", "logistic"
        )
        print(f"model {trained['id']}: {trained['status']} ({trained['reason']})")
        said = run("classifier", "predict", "--audio", str(told.folder))
        print(f"answers: {len(said['answers'])}, not read: {len(said['unreadable'])}")
        for answer in said["answers"]:
            print(f"  {_shown(Path(answer['file']).name, answer['genre'], answer['probability'])}")
        table = () if told.genre_from is None else ("--genre-from", told.genre_from)
        heard = run("collector", "import-audio", str(told.folder), *table)
        run("classifier", "predict")
        print(f"imported: {heard['heard']}; what `predictions` says of them:")
        for title, label, genre, probability in stored(url):
            print(f"  {_shown(title, genre, probability)} (label: {label or 'none'})")


if __name__ == "__main__":
    main()
