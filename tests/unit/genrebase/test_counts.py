"""Numbers of things in messages."""

from genrebase.counts import counted


def test_one_thing_is_singular():
    assert [counted(n, "track") for n in (0, 1, 2000)] == ["0 tracks", "1 track", "2,000 tracks"]
