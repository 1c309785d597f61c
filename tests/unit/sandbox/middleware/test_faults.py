"""Faults injected by the sandbox."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.api.spotify_page_faults import SpotifyPageFaults, find_page
from sandbox.middleware import faults
from sandbox.middleware.faults import FAULTS_OF_ANY_RESPONSE, Fault, FaultPlan

ALL = tuple(Fault)


def chosen(made, possible, results=9_000):
    draws = [made.random_for(number) for number in range(results)]
    return Counter(made.choose(draw, possible) for draw in draws if made.is_faulty(draw))


@pytest.mark.parametrize("possible", [ALL, FAULTS_OF_ANY_RESPONSE])
def test_faults_are_drawn_uniformly_from_the_possible_ones(possible):
    """One response in ten is broken, each kind equally often."""
    parsed = chosen(faults.parse_faults("0.1"), possible)
    assert set(parsed) == set(possible)
    assert parsed.total() == pytest.approx(900, rel=0.1)
    for kind in possible:
        assert parsed[kind] == pytest.approx(900 / len(possible), rel=0.35)


def test_shares_by_kind_are_kept():
    """Each kind has its own share; a kind that is not possible leaves the response intact."""
    parsed = chosen(faults.parse_faults("500=0.05, short=0.1"), ALL)
    assert parsed[Fault.SERVER_ERROR] == pytest.approx(450, rel=0.15)
    assert parsed[Fault.SHORT] == pytest.approx(900, rel=0.15)
    assert set(chosen(faults.parse_faults("short=0.5"), FAULTS_OF_ANY_RESPONSE)) == {None}


def test_the_seed_decides():
    """The same seed breaks the same responses, another seed other ones."""
    one, again, other = (faults.parse_faults("0.2", seed) for seed in (1, 1, 2))
    broken = [
        [made.is_faulty(made.random_for(n)) for n in range(300)] for made in (one, again, other)
    ]
    assert broken[0] == broken[1] != broken[2]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("often", "'often' is not a share: give a number from 0 to 1"),
        ("1.5", "'1.5' is not a share"),
        ("nan", "'nan' is not a share"),
        ("500=x", "'x' is not a share"),
        ("404=0.1", "'404' is no kind of fault: there are 500, 503, truncated, dropped"),
        ("500=0.1,", "'' is no kind of fault"),
        ("500=0.6,503=0.6", "more than 1 together"),
    ],
)
def test_invalid_text_is_refused(text, sentence):
    """Invalid text raises a sentence."""
    with pytest.raises(ValueError, match=sentence):
        faults.parse_faults(text)


def page(items, offset=0, limit=10, total=100):
    href = f"http://127.0.0.1/v1/search?query=genre%3A%22r%26b%22&offset={offset}&limit={limit}"
    following = href.replace(f"offset={offset}", f"offset={offset + limit}")
    return {
        "href": href,
        "items": [{"id": str(number)} for number in range(offset, offset + items)],
        "limit": limit,
        "next": following if offset + limit < total else None,
        "offset": offset,
        "previous": None,
        "total": total,
    }


@given(
    items=st.integers(0, 10),
    offset=st.sampled_from([0, 90, 990]),
    number=st.integers(0, 10**6),
    fault=st.sampled_from(ALL[len(FAULTS_OF_ANY_RESPONSE) :]),
)
def test_no_fault_hides_a_row(items, offset, number, fault):
    """A page begins at its offset, and the next one at offset + items received."""
    whole = page(items, offset)
    if fault not in SpotifyPageFaults().possible(whole):
        return
    broken = page(items, offset)
    SpotifyPageFaults().apply(broken, fault, FaultPlan(1.0).random_for(number))
    displayed = list(dict.fromkeys(item["id"] for item in broken["items"]))
    assert displayed == [item["id"] for item in whole["items"]][: len(displayed)]
    assert bool(displayed) == bool(items)
    match fault:
        case Fault.REPEATED:
            assert (len(displayed), len(broken["items"])) == (items, items + 1)
        case Fault.SHORT:
            assert len(displayed) == len(broken["items"]) < items
            assert f"offset={offset + len(displayed)}&" in broken["next"]
            assert "query=genre%3A%22r%26b%22" in broken["next"]
        case Fault.TOTAL:
            assert broken["total"] != whole["total"]
            assert len(displayed) == items
        case Fault.NEXT:
            assert broken["next"] is None
            assert whole["next"]


def test_pages_are_located_at_the_top_and_in_fields():
    """A page is the response or one of its fields; most responses have none."""
    one = page(3)
    assert find_page(one) is one
    assert find_page({"tracks": one}) is one
    assert find_page({"tracks": [one]}) is None
    assert find_page(None) is None
