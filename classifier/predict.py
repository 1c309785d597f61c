"""What the champion says about one track."""

import numpy as np

from classifier import dataset, regimes, serving
from classifier.dataset import Database
from classifier.errors import UnknownTrack
from classifier.records import Answer, StoredModel


def answer(database: Database, text: str, *, task: str = "main") -> Answer:
    """Return the champion's answer for a source's id, a Spotify address or URI, or a `track.id`.

    The stored answer where there is one that still holds: for a track the champion learned from
    that is the one given out of fold. Otherwise it is worked out (and not stored).
    Raise `NoChampion` or `UnknownTrack`.
    """
    model = dataset.champion(database, task)
    track = dataset.find_track(database, text)
    if track is None:
        raise UnknownTrack(
            f"There is no track {text!r}: give a source's id, a Spotify address or a track's "
            "number (the column `track_id` of the view `tracks`)."
        )
    stored = dataset.stored_answer(database, model.id, track)
    row = dataset.scoring_rows(database, np.array([track]))
    title, artists = str(row["title"].iloc[0]), str(row["artists"].iloc[0])
    if stored is None:
        stored = _fresh(database, model, track)
    return Answer(
        track,
        title,
        artists,
        stored.top,
        model.id,
        stored.regime,
        stored.in_training,
        model.origin,
    )


def _fresh(database: Database, model: StoredModel, track: int) -> dataset.StoredAnswer:
    champion = serving.load(database, model)
    ids = np.array([track])
    credit = dataset.track_credits(database)
    seen = regimes.familiar(
        ids,
        credit["track_id"].to_numpy(dtype=np.int64),
        credit["artist_id"].to_numpy(dtype=np.int64),
        champion.packed.learned,
    )
    shares = champion.predict_proba(dataset.scoring_rows(database, ids)).iloc[0]
    ranked = shares.sort_values(ascending=False, kind="stable").head(serving.ANSWERS)
    top = tuple((str(genre), float(share)) for genre, share in ranked.items())
    regime = "seen_artist" if seen[0] else "new_artist"
    return dataset.StoredAnswer(top, regime, bool(np.isin(track, champion.packed.learned)))
