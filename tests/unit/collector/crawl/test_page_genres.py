"""The genres of a page's items, without requests."""

from collector.crawl.page_genres import observations, without_other_genres
from collector.records import ArtistCredit, GenreVote, Level, Page, PageItem, SourceTrack


def item(number, *genres):
    track = SourceTrack("musicbrainz", f"id {number}", "Song", (ArtistCredit("Band"),))
    return PageItem(track, number, genres or None)


def vote(name, votes=1, level=Level.RECORDING):
    return GenreVote(name, votes, level)


def test_a_position_is_a_rank_where_there_are_no_votes():
    """Items without votes count for the requested genre, at their position in the results."""
    page = Page((item(0), item(3)), received=4)
    assert without_other_genres(page, "rock") is page
    seen = list(observations(page, "rock", 50, {}))
    assert [(one.genre, one.rank, one.votes, one.level) for one in seen] == [
        ("rock", 50, None, None),
        ("rock", 53, None, None),
    ]
    of_playlist = observations(page, "rock", 50, {}, "Best of Rock")
    assert [one.playlist for one in of_playlist] == ["Best of Rock"] * 2


def test_an_item_of_another_genre_is_set_aside_and_counted():
    """A search for rock finds indie rock, too: such an item is a position, and no track."""
    page = Page((item(0, vote("Rock")), item(1, vote("indie rock"))), 3, ("no title",))
    kept = without_other_genres(page, "rock")
    assert [one.position for one in kept.items] == [0]
    assert (kept.received, kept.reject_reasons) == (3, ("no title", "of another genre"))


def test_an_item_counts_for_all_collected_genres():
    """Each genre has its own rank among all that the item has, collected or not."""
    genres = (
        vote("jazz", 9, Level.ARTIST),
        vote("seen live", 7),
        vote("Indie Rock", 2),
        vote("rock", 2),
    )
    page = Page((item(4, *genres),), 5)
    seen = observations(page, "rock", 0, {"indie rock": "indie rock", "jazz": "jazz"})
    assert {one.genre: (one.rank, one.votes, one.level) for one in seen} == {
        "rock": (1, 2, Level.RECORDING),
        "indie rock": (1, 2, Level.RECORDING),
        "jazz": (3, 9, Level.ARTIST),
    }
