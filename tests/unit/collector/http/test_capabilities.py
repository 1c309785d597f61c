from collector.http.capabilities import ASK_AGAIN_AFTER, Capabilities

LIMITS = (50, 10)


def test_starts_with_the_largest_page() -> None:
    """Nothing learned: the largest page is asked for, and nothing is closed."""
    assert Capabilities().page_limit(LIMITS, 0.0) == 50
    assert not Capabilities().is_closed("audio-features", 0.0)


def test_remembers_for_a_week() -> None:
    """A refusal is remembered for a week, then asked for again."""
    known = Capabilities().refusing(50, 100.0).closing("audio-features", 100.0)
    later = 100.0 + ASK_AGAIN_AFTER
    assert known.page_limit(LIMITS, later - 1) == 10
    assert known.is_closed("audio-features", later - 1)
    assert known.page_limit(LIMITS, later) == 50
    assert not known.is_closed("audio-features", later)


def test_the_smallest_page_is_the_last_resort() -> None:
    """Where every limit was refused, the smallest is asked for."""
    assert Capabilities().refusing(50, 0.0).refusing(10, 0.0).page_limit(LIMITS, 1.0) == 10


def test_survives_storage() -> None:
    """What was learned comes back from JSON; no such document is nothing learned."""
    known = Capabilities().refusing(50, 1.0).closing("x", 2.0).after_ban()
    assert Capabilities.from_json(known.to_json()) == known
    assert Capabilities.from_json(None) == Capabilities.from_json({}) == Capabilities()
    assert known.after_answer().bans == 0
