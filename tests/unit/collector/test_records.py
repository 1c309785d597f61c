"""Records that other modules take apart by position."""

from collector.records import AudioFeatures
from genrebase.store import tables


def test_features_are_in_the_order_of_the_columns():
    """They are stored as they are."""
    assert AudioFeatures._fields == tables.FEATURES
