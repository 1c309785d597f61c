"""The shares of a track's genres by votes, for `--labels shared`. Pure.

Sources are not added up: the strongest source of a track decides. That is the one whose sighting
gives the track its claim; of several those with votes come first, then the one with most votes,
then the first by name.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from classifier.data.raw_dataset import RawDataset


def of_tracks(
    data: RawDataset, tracks: pd.DataFrame, genre_of: Mapping[str, str], classes: Iterable[str]
) -> pd.DataFrame | None:
    """Return (track_id, genre, share) of `tracks` that any source has votes for; None without.

    The shares of a track are votes divided by the sum of its votes over `classes`. Genres are
    renamed by `genre_of` (others keep their names), and those that get the same name add up. A
    source without votes that is the strongest gives each of its genres the same share.
    """
    rows = data.sightings
    if rows["votes"].isna().all():
        return None
    voted = rows.loc[rows["votes"].notna().to_numpy(dtype=bool), "track_id"]
    claimed = tracks[tracks["track_id"].isin(voted).to_numpy(dtype=bool)]
    rows = rows[rows["track_id"].isin(claimed["track_id"]).to_numpy(dtype=bool)]
    strongest = rows["track_id"].map(_strongest_sources(rows, claimed))
    decides = (strongest == rows["source"].astype("string")).fillna(value=False)
    rows = rows[decides.to_numpy(dtype=bool)]
    has_votes = rows.groupby("track_id")["votes"].transform("count") > 0
    votes = rows["votes"].astype("Float64").where(has_votes, 1.0).fillna(0.0)
    renamed = rows["genre"].map(lambda genre: genre_of.get(genre, genre))
    shares = pd.DataFrame(
        {
            "track_id": rows["track_id"].to_numpy(dtype=np.int64),
            "genre": renamed.to_numpy(dtype=object),
            "share": votes.to_numpy(dtype=np.float64),
        }
    )
    shares = shares[shares["genre"].isin(list(classes)) & (shares["share"] > 0)]
    summed = shares.groupby(["track_id", "genre"])["share"].sum().reset_index()
    total = summed.groupby("track_id")["share"].transform("sum")
    summed["share"] /= total
    return summed


def one_vs_rest(shares: pd.DataFrame, genre: str, rest: str) -> pd.DataFrame:
    """Return the shares of two labels, a genre and the `rest`, for the same tracks."""
    mine = shares["genre"] == genre
    tracks = shares["track_id"].unique()
    share = shares[mine].set_index("track_id")["share"].reindex(tracks, fill_value=0.0).to_numpy()
    both = pd.DataFrame(
        {
            "track_id": np.concatenate([tracks, tracks]),
            "genre": np.repeat(np.array([genre, rest], dtype=object), len(tracks)),
            "share": np.concatenate([share, 1 - share]),
        }
    )
    return both[both["share"] > 0]


def _strongest_sources(rows: pd.DataFrame, tracks: pd.DataFrame) -> "pd.Series[str]":
    """Return track to its strongest source."""
    claims = tracks.set_index("track_id")["claim"]
    gives_claim = (rows["track_id"].map(claims) == rows["genre"]).fillna(value=False)
    candidates = rows[gives_claim.to_numpy(dtype=bool)]
    order = candidates.assign(
        source=candidates["source"].astype("string"),
        votes=candidates["votes"].astype("Float64").fillna(0.0),
    ).sort_values(
        ["track_id", "best_rank", "votes", "source"], ascending=[True, True, False, True]
    )
    return order.drop_duplicates("track_id").set_index("track_id")["source"]
