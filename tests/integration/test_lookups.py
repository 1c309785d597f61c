"""Many tracks and artists are looked up at once, on both engines."""

from sqlalchemy import Engine

from classifier.data import named_tracks, rows_to_predict
from classifier.registry import stored_models
from genrebase.errors import UserError
from genrebase.store.engine import transaction
from genrebase.store.find import AmbiguousTrack, UnknownTrack
from tests import factories as make

SPOTIFY_ID = "6f807x0ima9a1j3VPbc7VN"


def test_each_text_names_what_a_command_would_take(engine: Engine):
    """Numbers, Spotify ids and addresses, other ids with and without their source."""
    with transaction(engine) as connection:
        tracks = [make.add_track(connection, f"Song {number}", ["Band"]) for number in range(3)]
        make.add_alias(connection, tracks[0], SPOTIFY_ID)
        make.add_alias(connection, tracks[1], "a7", "fma")
        make.add_alias(connection, tracks[2], "b7", "fma")
        make.add_alias(connection, tracks[1], "b7", "csv:x.csv")
    texts = [
        str(tracks[2]), SPOTIFY_ID, f"https://open.spotify.com/track/{SPOTIFY_ID}", "fma:a7",
        "a7", "b7", "csv:x.csv:b7", "999999", "9" * 30, "nothing", "spotify:" + "0" * 22,
    ]  # fmt: skip
    named = named_tracks.named_tracks(engine, dict(enumerate(texts)))
    ids = [None if isinstance(one, UserError) else one.id for one in named.values()]
    assert ids == [
        tracks[2], tracks[0], tracks[0], tracks[1], tracks[1], None, tracks[1],
        *(None,) * 4,
    ]  # fmt: skip
    assert isinstance(named[5], AmbiguousTrack)
    assert all(isinstance(named[at], UnknownTrack) for at in (7, 8, 9, 10))


def test_artists_have_the_splits_of_their_tracks(engine: Engine):
    """Names without a track, or without an artist, have none."""
    with transaction(engine) as connection:
        make.add_track(connection, "One", ["Band", "Guest"], side="test_new")
        make.add_track(connection, "Two", ["Band"], side="train")
        make.add_artist(connection, "Nobody Else")
    artists = named_tracks.artists_named(engine, ["band", "guest", "nobody else", "unknown"])
    assert set(artists) == {"band", "guest", "nobody else"}
    assert artists["band"].splits >= {"test", "train"}
    assert artists["guest"].splits == {"test"}
    assert named_tracks.artists_named(engine, []) == {}


def test_stored_predictions_of_many_tracks(engine: Engine):
    """Those of other models, and of tracks without one, are left out."""
    with transaction(engine) as connection:
        rock, jazz = make.add_genre(connection, "rock"), make.add_genre(connection, "jazz")
        model = make.add_model(connection)
        other = make.add_model(connection, "retired")
        tracks = [make.add_track(connection, f"Song {number}") for number in range(4)]
        for track in tracks[:2]:
            make.add_predictions(connection, model, track, [(rock, 0.75), (jazz, 0.25)])
        make.add_predictions(connection, other, tracks[2], [(jazz, 1.0)])
    predicting = stored_models.model(engine, model)
    stored = rows_to_predict.stored_predictions(engine, predicting, tracks)
    assert set(stored) == set(tracks[:2])
    for track, prediction in stored.items():
        assert prediction.top == (("rock", 0.75), ("jazz", 0.25))
        one = rows_to_predict.stored_predictions(engine, predicting, [track])
        assert one == {track: prediction}
