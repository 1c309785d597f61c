"""The ranks of genres with votes."""

from hypothesis import given
from hypothesis import strategies as st

from collector.records import GenreVote, Level
from collector.sources.genre_ranks import ranked

VOTES = st.lists(
    st.builds(
        GenreVote,
        st.sampled_from(["rock", "Rock", "indie rock", "jazz", "seen live"]),
        st.integers(1, 5),
        st.sampled_from(Level),
    )
)


@given(VOTES, st.randoms())
def test_ranks_do_not_depend_on_the_order_of_the_genres(votes, random):
    """A rank is a function of the item alone: of the support of its genres."""
    shuffled = random.sample(votes, len(votes))

    def ranks(genres):
        return {one.name.lower(): (rank, one.votes, one.level) for one, rank in ranked(genres)}

    assert ranks(votes) == ranks(shuffled)
    supports = {rank: (level, -n) for rank, n, level in ranks(votes).values()}
    assert sorted(supports.values()) == [supports[rank] for rank in sorted(supports)]
