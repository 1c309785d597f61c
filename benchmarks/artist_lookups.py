"""How often `classifier predict --artist NAME` names another genre than the artist's own.

    STORE_URL=sqlite:///music.db python -m benchmarks.artist_lookups [ARTISTS]

draws 100 artists with at least three labelled tracks from each part of the split, predicts each by
name alone, and counts how often the first genre is not the most frequent label of its tracks: by
the champion, and by its refit (`classifier train --refit`).
"""

import sys

import pandas as pd

from classifier.data import dataset
from classifier.registry import stored_models
from classifier.serving import champion as serving
from classifier.serving.predict_track import TrackDescription, described_rows
from classifier.training_config import DEFAULT_TASK
from genrebase.store import connect

MIN_TRACKS = 3
SEED = 0
PARTS = {
    "all artists": ("",),
    "no training track, some on a test side": ("test",),
    "no training track, some on a validation side": ("validation",),
}


def artists_by_part(tracks: pd.DataFrame) -> pd.DataFrame:
    """Return (artist, label, sides) of each artist with enough labelled tracks."""
    credited = tracks.assign(artist=tracks["artists"].str.split("; ")).explode("artist")
    grouped = credited.groupby("artist")
    artists = pd.DataFrame(
        {
            "tracks": grouped.size(),
            "label": grouped["label"].agg(lambda labels: labels.mode().iloc[0]),
            "sides": grouped["side"].agg(lambda sides: " ".join(sorted(set(sides)))),
        }
    )
    return artists[artists["tracks"] >= MIN_TRACKS].reset_index()


def wrong_lookups(model: serving.LoadedModel, artists: pd.DataFrame) -> int:
    """Return how many artists are predicted as another genre than their most frequent label."""
    frames = [
        described_rows([TrackDescription(artists=(str(name),))]) for name in artists["artist"]
    ]
    genres = model.predict_proba(pd.concat(frames, ignore_index=True)).idxmax(axis=1)
    return int((genres.to_numpy() != artists["label"].to_numpy()).sum())


def main(number: int = 100) -> None:
    """Print the counts of both models."""
    database = connect()
    champion = stored_models.champion(database, DEFAULT_TASK)
    models = {"champion": serving.load(database, champion)}
    refit = serving.serving_model(database, champion)
    if refit.model.id != champion.id:
        models["refit"] = refit
    artists = artists_by_part(dataset.load_dataset(database).tracks)
    for part, (side,) in PARTS.items():
        chosen = artists[artists["sides"].str.contains(side)]
        if side:
            chosen = chosen[~chosen["sides"].str.contains("train")]
        drawn = chosen.sample(min(number, len(chosen)), random_state=SEED)
        counts = ", ".join(
            f"{name} {wrong_lookups(model, drawn)}" for name, model in models.items()
        )
        print(f"{part}: of {len(drawn)} artists, wrong: {counts}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
