"""Crawl planning, without requests."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from collector.crawl import planning
from collector.shard import (
    ALL_YEARS,
    UNDATED,
    GenreProgress,
    Shard,
    reopened,
    years_added_since,
)

ROOT = Shard(1, 1, 'genre:"rock"', *ALL_YEARS, 0, 0, 0, None, "open", 0, 0, 0, 0, None)
NEEDS = {1: GenreProgress("rock", 100, 50), 2: GenreProgress("jazz", 100, 50)}


def test_a_page_moves_the_cursor_by_the_rows_received():
    """A short page is not the end: the next one begins after it."""
    after = planning.after_page(ROOT, received=7, tracks_new=3, requested=10, max_results=1_000)
    assert (after.next_offset, after.status, after.tracks_new) == (7, "open", 3)


def test_one_empty_page_is_requested_again():
    """Only a second empty page exhausts the shard."""
    once = planning.after_page(ROOT, received=0, tracks_new=0, requested=10, max_results=1_000)
    assert once.status == "open"
    assert (
        planning.after_page(once, received=0, tracks_new=0, requested=10, max_results=1_000).status
        == "exhausted"
    )


def test_a_page_with_items_resets_the_count_of_empty_pages():
    """Only two consecutive empty pages exhaust a shard."""
    once = planning.after_page(ROOT, received=0, tracks_new=0, requested=10, max_results=1_000)
    again = planning.after_page(once, received=5, tracks_new=1, requested=10, max_results=1_000)
    assert (
        planning.after_page(
            again, received=0, tracks_new=0, requested=10, max_results=1_000
        ).status
        == "open"
    )


def test_a_full_range_is_split_and_a_full_year_is_capped():
    """At the reach of a search a range of years is split; a single year cannot be."""
    near = replace(ROOT, next_offset=990)
    assert (
        planning.after_page(
            near, received=10, tracks_new=0, requested=10, max_results=1_000
        ).status
        == "split"
    )
    year = replace(near, year_from=1999, year_to=1999)
    assert (
        planning.after_page(
            year, received=10, tracks_new=0, requested=10, max_results=1_000
        ).status
        == "capped"
    )


@given(st.integers(1900, 2100), st.integers(1, 150))
def test_children_cover_their_parent_once(start, length):
    """Every year of a shard is in exactly one of its children."""
    shard = replace(ROOT, year_from=start, year_to=start + length)
    years = [
        y for low, high in planning.child_year_ranges(shard, 2026) for y in range(low, high + 1)
    ]
    assert years == list(range(start, start + length + 1))


@given(st.integers(2000, 2100))
def test_all_years_are_split_up_to_the_next(this_year):
    """Releases are announced ahead: the last range reaches next year."""
    ranges = planning.child_year_ranges(ROOT, this_year)
    years = [y for low, high in ranges for y in range(low, high + 1)]
    assert years == list(range(1900, this_year + 2))


def test_the_genre_that_lacks_more_comes_first():
    """Equal yield: the larger missing share wins."""
    needs = {1: GenreProgress("rock", 100, 90), 2: GenreProgress("jazz", 100, 10)}
    shards = [ROOT, replace(ROOT, id=2, genre_id=2)]
    chosen = planning.next_shard(shards, needs, 50)
    assert chosen is not None
    assert chosen.id == 2


def test_an_unproductive_shard_is_postponed():
    """Pages without new tracks postpone a shard; it is requested again when no other is left."""
    dry = replace(ROOT, requests=9, tracks_new=400, dry_pages=3, promised=2.0)
    poor = replace(ROOT, id=2, requests=9, tracks_new=1, promised=0.5)
    assert planning.next_shard([dry, poor], NEEDS, 50) == poor
    assert planning.next_shard([dry], NEEDS, 50) == dry


def test_children_come_after_their_parents_generation():
    """Shards of a split are requested only when no original shard is open."""
    child = replace(ROOT, id=2, first_rank=1_000, year_from=2000, year_to=2009)
    used = replace(ROOT, requests=20, tracks_new=2)
    assert planning.next_shard([child, used], NEEDS, 50) == used


def test_a_child_starts_after_its_parents_rows():
    """Many rows seen raise its expected new tracks; even with all seen, one page is requested."""
    old, *_, new = planning.split_shard(ROOT, {1950: 2, 2021: 990}, 2021, 50, 1_000)
    assert (old.years, old.head, old.promised) == ((1900, 1969), 2, 3)
    assert (new.years, new.head, new.promised) == ((2020, 2022), 950, 991)


def test_items_without_a_date_are_a_child_of_the_whole_genre():
    """Where a source can search for them, they come after the ranges of years; once only."""
    *dated, last = planning.split_shard(ROOT, {}, 2021, 50, 1_000, undated=True)
    assert last.years == UNDATED
    assert dated == planning.split_shard(ROOT, {}, 2021, 50, 1_000)
    part = replace(ROOT, year_from=1990, year_to=1999)
    children = planning.split_shard(part, {}, 2021, 50, 1_000, undated=True)
    assert [child.years for child in children] == [(1990, 1994), (1995, 1999)]


def test_rows_of_other_genres_are_at_the_heads_of_children_too() -> None:
    """Of 1,000 rows 200 were of the genre: a child's head has five rows for each of its years'."""
    seen = {1950: 20, 1980: 60, 2021: 120}
    plain = planning.split_shard(ROOT, seen, 2021, 50, 1_000)
    mixed = planning.split_shard(ROOT, seen, 2021, 50, 1_000, has_set_aside=True)
    assert [child.head for child in plain if child.head] == [20, 60, 120]
    assert [child.head for child in mixed if child.head] == [100, 300, 600]
    assert [child.promised for child in mixed] == [child.promised for child in plain]
    none = planning.split_shard(ROOT, {}, 2021, 50, 1_000, has_set_aside=True)
    assert {child.head for child in none} == {0}


def test_a_productive_child_is_read_before_unread_ones():
    """First pages of all children would mostly have shared tracks."""
    good = replace(ROOT, first_rank=1_000, requests=1, promised=30.0, year_from=1990, year_to=1999)
    unread = replace(good, id=2, requests=0, promised=400.0, year_from=2000, year_to=2009)
    poor = replace(good, promised=10.0)
    assert planning.next_shard([good, unread], NEEDS, 50) == good
    assert planning.next_shard([poor, unread], NEEDS, 50) == unread


def test_genres_go_through_the_years_in_different_orders():
    """What one genre finds among equal children is not what all find."""
    years = [(1990, 1999), (2000, 2009), (2010, 2014), (2015, 2019)]
    firsts = set()
    for name in ("rock", "jazz", "funk", "rap", "blues"):
        children = [
            replace(ROOT, id=n, first_rank=1_000, promised=90.0, year_from=low, year_to=high)
            for n, (low, high) in enumerate(years)
        ]
        first = planning.next_shard(children, {1: GenreProgress(name, 100, 0)}, 50)
        again = planning.next_shard(children[::-1], {1: GenreProgress(name, 100, 0)}, 50)
        assert first == again
        firsts.add(first.years)
    assert len(firsts) > 1


def test_a_short_page_postpones_but_ends_nothing():
    """Fewer rows than requested postpone the shard; two empty pages exhaust it."""
    short = planning.after_page(ROOT, received=7, tracks_new=7, requested=50, max_results=1_000)
    poor = replace(ROOT, id=2, promised=1.0)
    assert short.status == "open"
    assert planning.next_shard([short, poor], NEEDS, 50) == poor
    assert planning.next_shard([short], NEEDS, 50) == short


def test_expected_new_tracks_follow_the_last_pages():
    """Recent pages count for more than old ones."""
    rich = replace(ROOT, promised=40.0)
    after = planning.after_page(rich, received=50, tracks_new=10, requested=50, max_results=1_000)
    assert after.promised == 25


def crawl(years, page, reach, error=0):
    """Crawl rows, each of them a year, to the end; return the ranks at which each was seen."""
    ranks = {}
    open_shards, made, requests = [ROOT], 1, 0
    while shard := planning.next_shard(open_shards, {1: GenreProgress("rock", 10**6, 0)}, page):
        matching_rows = [
            row for row, year in enumerate(years) if shard.year_from <= year <= shard.year_to
        ]
        at, requested = shard.next_offset, min(page, reach - shard.next_offset)
        rows = matching_rows[:reach][at : at + requested]
        new = sum(row not in ranks for row in rows)
        for rank, row in enumerate(rows, shard.first_rank + at):
            ranks.setdefault(row, set()).add(rank)
        after = planning.after_page(shard, len(rows), new, requested, reach)
        requests += 1
        open_shards = [after if one is shard else one for one in open_shards]
        if after.status == "split":
            seen = Counter(years[row] for row in ranks)
            seen = {year: max(0, tracks + error) for year, tracks in seen.items()}
            for part in planning.split_shard(shard, seen, 2026, page, reach):
                made += 1
                child = replace(ROOT, id=made, year_from=part.years[0], year_to=part.years[1])
                child = replace(child, first_rank=part.first_rank, head=part.head)
                open_shards.append(replace(child, next_offset=part.head, promised=part.promised))
    assert {shard.status for shard in open_shards} <= {"split", "exhausted", "capped"}
    return ranks, requests


YEARS = st.lists(st.integers(1995, 2026), max_size=120)


@given(YEARS, st.integers(1, 12), st.integers(12, 40), st.integers(-20, 20))
def test_every_row_of_a_search_is_reached(years, page, reach, error):
    """Skipped rows are read later, whether more or fewer were seen than returned."""
    ranks, _ = crawl(years, page, reach, error)
    per_year = Counter()
    for row, year in enumerate(years):
        per_year[year] += 1
        assert row in ranks or per_year[year] > reach


@given(YEARS, st.integers(1, 12), st.integers(12, 40), st.integers(-20, 20))
def test_the_best_rank_does_not_depend_on_skipped_rows(years, page, reach, error):
    """A row's rank is its offset plus its shard's first rank, in any reading order."""
    best, skipped = (crawl(years, page, reach, n)[0] for n in (0, error))
    assert {row: min(result) for row, result in best.items()} == {
        row: min(result) for row, result in skipped.items()
    }


def test_no_request_for_a_complete_genre():
    """A reached target, a closed shard and an unknown genre give no request."""
    done = {1: GenreProgress("rock", 100, 100)}
    assert planning.next_shard([ROOT], done, 50) is None
    assert planning.next_shard([replace(ROOT, status="exhausted")], NEEDS, 50) is None
    assert planning.next_shard([replace(ROOT, genre_id=9)], NEEDS, 50) is None


@given(st.integers(2020, 2060), st.integers(2020, 2060))
def test_new_years_are_covered(last_year, this_year):
    """They run from the year after the last requested one to the latest announced one."""
    part = years_added_since(last_year, 1_000, this_year)
    covered = last_year if part is None else part.years[1]
    assert covered == max(last_year, this_year + 1)
    assert part is None or part.years[0] == last_year + 1


def test_a_reopened_shard_starts_over_after_all_others():
    """Its end is reset; it has no expected new tracks before its first page."""
    read = replace(ROOT, status="exhausted", head=7, next_offset=90, empty_pages=2, dry_pages=9)
    again = reopened(read)
    assert (again.status, again.next_offset, again.head, again.empty_pages) == ("open", 0, 0, 0)
    unread = replace(ROOT, id=2, first_rank=1_000, promised=1.0)
    assert planning.next_shard([again, unread], NEEDS, 50) == unread
