"""Which genres lose ties when the order of the genres changes."""

from hypothesis import given
from hypothesis import strategies as st

from collector.catalogue import track_claims
from genrebase.store.claims import choose_claim

NAMES = "abcdef"
counts = st.lists(st.integers(0, 4), min_size=len(NAMES), max_size=len(NAMES))


def keys(numbers: list[int]) -> dict[int, tuple[int, str]]:
    return {place: (count, NAMES[place]) for place, count in enumerate(numbers)}


@given(counts, counts, st.sets(st.integers(0, len(NAMES) - 1), min_size=2))
def test_only_claims_of_overtaken_genres_change(
    before: list[int], after: list[int], tied: set[int]
) -> None:
    """A tied track goes from a genre that is overtaken to one that overtook it, or stays."""
    ranks = dict.fromkeys(tied, 0)
    old, _ = choose_claim(ranks, keys(before))
    new, _ = choose_claim(ranks, keys(after))
    losers, winners = track_claims.overtaken(keys(before), keys(after))
    assert old == new or (old in losers and new in winners)


def test_a_genre_that_grows_is_overtaken_by_those_it_passes() -> None:
    """It passes b and c, which are claimed first from now on; no other genre loses anything."""
    before, after = keys([1, 2, 3, 9, 9, 9]), keys([4, 2, 3, 9, 9, 9])
    assert track_claims.overtaken(before, after) == ({0}, {1, 2})
    assert track_claims.overtaken(before, before) == (set(), set())


def test_new_genres_overtake_nobody() -> None:
    """A genre without an earlier place claims no track that was there before."""
    before = {0: (5, "a"), 1: (6, "b")}
    assert track_claims.overtaken(before, {**before, 2: (0, "c")}) == (set(), set())
