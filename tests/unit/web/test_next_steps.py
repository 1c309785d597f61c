"""What to do next follows from facts alone."""

from dataclasses import replace

import pytest

from web.next_steps import Facts, next_steps

WELL = Facts(tracks=100, champion=1, has_learning_curve=True)


def test_nothing_to_do():
    (only,) = next_steps(WELL)
    assert only.title == "Nothing to do"


@pytest.mark.parametrize(
    ("change", "title"),
    [
        ({"failed_job": "train", "error": "no rows"}, "See why train failed"),
        ({"blocked_source": "spotify", "blocked_until": "14:20"}, "Wait: spotify blocks requests"),
        ({"wrong_queries": [("r&b", 0.58)]}, "Check the query of r&b"),
        ({"disputes": 7}, "Settle 7 disputed labels"),
        ({"without_features": 1}, "Fetch audio features"),
        ({"champion": None}, "Train a first model"),
        ({"growth": 0.25}, "Train again"),
        ({"has_learning_curve": False}, "Find out which genres would gain from more tracks"),
        ({"missing": 20, "exhausted": [("jazz", 80)]}, "Look for 20 tracks elsewhere"),
        ({"tracks": 0}, "Add genres, and harvest them"),
    ],
)
def test_each_fact_alone(change, title):
    assert [step.title for step in next_steps(replace(WELL, **change))] == [title]


def test_the_most_urgent_is_first():
    facts = Facts(
        failed_job="enrich",
        blocked_source="spotify",
        blocked_until="14:20",
        wrong_queries=[("r&b", 0.5)],
        disputes=3,
        tracks=10,
        without_features=5,
        champion=2,
        growth=0.5,
        missing=4,
        exhausted=[("jazz", 6)],
    )
    assert [step.title.split()[0] for step in next_steps(facts)] == [
        "See", "Wait:", "Check", "Settle", "Fetch", "Train", "Find", "Look",
    ]  # fmt: skip


def test_an_old_champion_from_a_fifth_more_tracks_on():
    assert next_steps(replace(WELL, growth=0.19))[0].title == "Nothing to do"
    assert next_steps(replace(WELL, growth=0.2))[0].title == "Train again"
