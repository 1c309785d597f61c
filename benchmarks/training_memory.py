"""Memory and time of a training on databases of different sizes.

    python -m benchmarks.training_memory URL... [--tracks-per-genre N] [--estimator NAME]

Each database (see `benchmarks.large_database`) is read by a process of its own: it selects and
splits the tracks, fits, and predicts the held-out tracks, and stores nothing. Prints a line of
JSON per database: rows read, CPU seconds (the process that reads SQLite included) and the resident
memory after each stage, its peak, and the accuracy on test tracks of unseen artists.
"""

import argparse

from benchmarks.measuring import (
    cpu_seconds,
    peak_mib,
    print_result,
    resident_mib,
    run_in_process,
)
from classifier import estimators
from classifier.data import audio_joins, dataset, soft_labels, training_data
from classifier.training_config import TrainingConfig
from genrebase.store.engine import make_engine


class Stages:
    """The CPU seconds of each stage, and the memory after it."""

    def __init__(self) -> None:
        self.results: dict[str, float] = {"start_mib": resident_mib()}
        self._began = cpu_seconds()

    def end(self, name: str) -> None:
        """Note the end of a stage."""
        now = cpu_seconds()
        self.results |= {f"{name}_s": round(now - self._began, 2), f"{name}_mib": resident_mib()}
        self._began = now


def measure(url: str, config: TrainingConfig) -> None:
    """Train on a database, and print what it took."""
    engine, stages = make_engine(url), Stages()
    config = audio_joins.resolve_features(engine, config)
    stages.end("features")
    data = dataset.load_dataset(engine, config)
    rows = {"read": len(data.tracks), "credits": len(data.credits), "labels": len(data.sightings)}
    stages.end("read")
    split = training_data.split_dataset(data, config)
    del data
    stages.end("split")
    estimator = soft_labels.fit(
        estimators.build(config, threads=1), split.training_set(), split.validation()
    )
    stages.end("fit")
    test = split.held_out("test") & (split.regimes == "new_artist")
    accuracy = float(split.predict(estimator, test).correct.mean())
    stages.end("predict")
    print_result(
        engine.url.database or url,
        **rows,
        trained=int(split.train_mask.sum()),
        tested=int(test.sum()),
        genres=len(split.classes),
        accuracy=round(accuracy, 4),
        **stages.results,
        peak_mib=peak_mib(),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("urls", nargs="+", metavar="URL")
    parser.add_argument("--tracks-per-genre", type=int)
    parser.add_argument("--estimator", default="logistic")
    given = parser.parse_args()
    config = TrainingConfig(
        estimator=given.estimator, tracks_per_genre=given.tracks_per_genre, auto_features=True
    )
    for url in given.urls:
        run_in_process(measure, url, config)


if __name__ == "__main__":
    main()
