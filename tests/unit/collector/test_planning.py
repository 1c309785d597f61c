"""Planning decides; nothing is asked here."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from collector import planning
from collector.planning import ALL_YEARS, Need, Shard

ROOT = Shard(1, 1, 'genre:"rock"', *ALL_YEARS, 0, 0, "open", 0, 0, 0, 0)
NEEDS = {1: Need("rock", 100, 50), 2: Need("jazz", 100, 50)}


def test_a_page_moves_the_cursor_by_what_was_received():
    """A short page is not the end: the next one begins right after it."""
    after = planning.after_page(ROOT, received=7, tracks_new=3, reach=1_000)
    assert (after.next_offset, after.status, after.tracks_new) == (7, "open", 3)


def test_one_empty_page_is_not_believed():
    """An empty page is asked again; only the second one exhausts the shard."""
    once = planning.after_page(ROOT, received=0, tracks_new=0, reach=1_000)
    assert once.status == "open"
    assert planning.after_page(once, received=0, tracks_new=0, reach=1_000).status == "exhausted"


def test_a_page_with_items_takes_an_empty_answer_back():
    """Two empty pages exhaust a shard only in a row."""
    once = planning.after_page(ROOT, received=0, tracks_new=0, reach=1_000)
    again = planning.after_page(once, received=5, tracks_new=1, reach=1_000)
    assert planning.after_page(again, received=0, tracks_new=0, reach=1_000).status == "open"


def test_a_full_range_is_split_and_a_full_year_is_capped():
    """At the reach of a search a range of years is split; a single year cannot be."""
    near = replace(ROOT, next_offset=990)
    assert planning.after_page(near, received=10, tracks_new=0, reach=1_000).status == "split"
    year = replace(near, year_from=1999, year_to=1999)
    assert planning.after_page(year, received=10, tracks_new=0, reach=1_000).status == "capped"


@given(st.integers(1900, 2100), st.integers(1, 150))
def test_children_cover_their_parent_once(start, length):
    """Every year of a shard is in exactly one of its children."""
    shard = replace(ROOT, year_from=start, year_to=start + length)
    years = [y for low, high in planning.children(shard, 2026) for y in range(low, high + 1)]
    assert years == list(range(start, start + length + 1))


@given(st.integers(2000, 2100))
def test_all_years_are_split_up_to_the_next(this_year):
    """Releases are announced ahead: the last range reaches next year."""
    ranges = planning.children(ROOT, this_year)
    years = [y for low, high in ranges for y in range(low, high + 1)]
    assert years == list(range(1900, this_year + 2))


def test_the_genre_that_lacks_more_comes_first():
    """Equal yield: the larger missing share wins."""
    needs = {1: Need("rock", 100, 90), 2: Need("jazz", 100, 10)}
    shards = [ROOT, replace(ROOT, id=2, genre_id=2)]
    chosen = planning.next_shard(shards, needs, 50)
    assert chosen is not None
    assert chosen.id == 2


def test_a_dry_shard_waits_behind_all_others_but_is_not_given_up():
    """Pages without anything new postpone a shard; alone it is asked again."""
    dry = replace(ROOT, requests=9, tracks_new=400, dry_pages=3)
    poor = replace(ROOT, id=2, requests=9, tracks_new=1)
    assert planning.next_shard([dry, poor], NEEDS, 50) == poor
    assert planning.next_shard([dry], NEEDS, 50) == dry


def test_children_stand_behind_their_parents_generation():
    """What a split adds is asked only when no first-hand shard is open."""
    child = replace(ROOT, id=2, first_rank=1_000, year_from=2000, year_to=2009)
    used = replace(ROOT, requests=20, tracks_new=2)
    assert planning.next_shard([child, used], NEEDS, 50) == used


def test_nothing_is_asked_for_a_genre_that_has_its_target():
    """A reached target, a closed shard and an unknown genre all mean: not this one."""
    done = {1: Need("rock", 100, 100)}
    assert planning.next_shard([ROOT], done, 50) is None
    assert planning.next_shard([replace(ROOT, status="exhausted")], NEEDS, 50) is None
    assert planning.next_shard([replace(ROOT, genre_id=9)], NEEDS, 50) is None
