"""The provider whose features the views show of a track."""

from sqlalchemy import Engine, delete, select, update

from genrebase.store import features_provider, tables
from genrebase.store.engine import read_transaction, transaction
from tests import factories as make

_track, _features = tables.track.c, tables.audio_features


def chosen(engine: Engine) -> list[str | None]:
    with read_transaction(engine) as connection:
        return list(connection.scalars(select(_track.features_provider).order_by(_track.id)))


def test_the_order_decides_and_then_the_name(engine: Engine) -> None:
    """Providers that are not in the order come after those that are."""
    with transaction(engine) as connection:
        features_provider.set_order(connection, ["reccobeats", "audio"])
        for providers in ("zz yy", "csv audio zz", "audio reccobeats", ""):
            track = make.add_track(connection, f"Song {providers}")
            for provider in providers.split():
                make.add_features(connection, track, provider)
    assert chosen(engine) == ["yy", "audio", "reccobeats", None]


def test_a_new_order_counts_for_all_tracks(engine: Engine) -> None:
    """Tracks with features of both providers change theirs."""
    with transaction(engine) as connection:
        for providers in ("csv spotify", "csv"):
            track = make.add_track(connection, f"Song {providers}")
            for provider in providers.split():
                make.add_features(connection, track, provider)
    assert chosen(engine) == ["spotify", "csv"]
    with transaction(engine) as connection:
        features_provider.set_order(connection, ["csv"])
        assert features_provider.order(connection) == ("csv",)
    assert chosen(engine) == ["csv", "csv"]


def test_only_the_given_tracks_are_chosen_again(engine: Engine) -> None:
    """What others deleted is counted as wrong until it is chosen again."""
    with transaction(engine) as connection:
        ids = [make.add_track(connection, f"Song {number}") for number in range(3)]
        for track in ids:
            make.add_features(connection, track)
        connection.execute(delete(_features).where(_features.c.track_id != ids[0]))
        assert features_provider.count_wrong(connection) == 2
        features_provider.choose(connection, ids[:2])
        assert features_provider.count_wrong(connection) == 1
        connection.execute(update(tables.track).values(features_provider="gone"))
        assert features_provider.count_wrong(connection) == 3
        features_provider.choose_all(connection)
        assert features_provider.count_wrong(connection) == 0
    assert chosen(engine) == ["csv", None, None]
