"""What a training waits for."""

from dataclasses import replace
from typing import Any

import pytest

from classifier.daemon.readiness import TrainingReadiness, describe_wait, enough_new_data
from classifier.settings import ClassifierSettings
from tests.fakes import NOON


@pytest.mark.parametrize(
    ("labelled", "before", "new_tracks", "expected"),
    [
        (999, 0, 1000, False),
        (1000, 0, 1000, True),
        (10_900, 10_000, 1000, False),
        (11_999, 10_000, 1000, False),
        (12_000, 10_000, 1000, True),
        (50_000, 0, 0, False),
    ],
)
def test_enough_new_data_trigger_a_training(
    labelled: int, before: int, new_tracks: int, *, expected: bool
) -> None:
    """`new_tracks` more tracks, and a fifth more than last time; never if `new_tracks` is 0."""
    assert enough_new_data(labelled, before, new_tracks) is expected


SETTINGS = ClassifierSettings(_env_file=None)
FRESH = TrainingReadiness(
    labelled=218,
    with_features=0,
    trained=False,
    trained_labelled=0,
    trained_share=None,
    quiet=False,
)
TRAINED = replace(FRESH, trained=True, trained_labelled=218, trained_share=0.1)


@pytest.mark.parametrize(
    ("state", "share", "missing"),
    [
        (FRESH, 0.5, 109),
        (replace(FRESH, with_features=100), 0.5, 9),
        (replace(FRESH, with_features=109), 0.5, 0),
        (replace(FRESH, labelled=219, with_features=109), 0.5, 1),
        (FRESH, 0.0, 0),
        (replace(FRESH, quiet=True), 0.5, 0),
        (TRAINED, 0.5, 0),
        (replace(FRESH, labelled=0), 1.0, 0),
    ],
)
def test_the_first_training_waits_for_a_share_of_features(
    state: TrainingReadiness, share: float, missing: int
) -> None:
    """Only the first one waits, and only while something arrives."""
    assert state.missing_features(share) == missing


@pytest.mark.parametrize(
    ("before", "with_features", "arrived"),
    [(0.1, 64, False), (0.1, 66, True), (0.0, 44, True), (0.9, 218, False), (None, 218, False)],
)
def test_a_fifth_more_features_are_noticeable(
    before: float | None, with_features: int, *, arrived: bool
) -> None:
    """The share of the labelled tracks counts, not their growth."""
    state = replace(TRAINED, trained_share=before, with_features=with_features)
    assert state.features_arrived() is arrived


@pytest.mark.parametrize(
    ("state", "settings", "sentence"),
    [
        (
            replace(FRESH, labelled=12),
            {},
            "The first training waits for labelled tracks: there are 12, and two genres need",
        ),
        (
            FRESH,
            {},
            (
                "The first training waits for audio features: 0 of 218 labelled tracks have them, "
                "109 more are needed (CLASSIFIER_FEATURE_SHARE=0.5). It begins without them when "
                "nothing has arrived for 10 minutes, or at 2026-01-02 03:00 UTC."
            ),
        ),
        (replace(FRESH, quiet=True), {}, "The first training begins at the next check."),
        (
            replace(FRESH, with_features=200),
            {},
            "The first training waits for 782 more labelled tracks, or until 2026-01-02 03:00",
        ),
        (
            TRAINED,
            {},
            (
                "The next training waits for 1,000 more labelled tracks, for audio features of "
                "30% of them (now 0%), or until 2026-01-02 03:00 UTC."
            ),
        ),
        (
            replace(TRAINED, trained_share=0.95),
            {"schedule": "30 4 * * * Asia/Tokyo"},
            "The next training waits for 1,000 more labelled tracks, or until 2026-01-02 04:30",
        ),
        (TRAINED, {"new_tracks": 0}, "The next training is at 2026-01-02 03:00 UTC."),
    ],
)
def test_what_is_awaited_is_a_sentence(
    state: TrainingReadiness, settings: dict[str, Any], sentence: str
) -> None:
    """It names the numbers, the setting and the time."""
    chosen = SETTINGS.model_copy(update=settings)
    assert describe_wait(state, chosen, NOON).startswith(sentence)
