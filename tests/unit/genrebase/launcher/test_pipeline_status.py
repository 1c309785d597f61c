"""The status line of the pipeline."""

from genrebase.launcher.pipeline_status import PipelineStatus

TOTALS = {
    "tracks": 1234,
    "wanted": 10000,
    "genres": 10,
    "with_features": 1100,
    "requests": 45,
}


def test_the_line_without_a_model() -> None:
    """It has tracks, features and requests, and states that there is no model."""
    assert PipelineStatus(**TOTALS, champion=None).summary_line() == (
        "1,234 tracks (target 10,000) · 10 genres · features for 1,100 · 45 requests"
        " · no model yet"
    )


def test_the_line_with_a_champion() -> None:
    """It has the champion and its number of predictions."""
    champion = {"id": 3, "estimator": "logistic", "predicted": 1200}
    assert (
        PipelineStatus(**TOTALS, champion=champion)
        .summary_line()
        .endswith("champion 3 (logistic) · predicted 1,200 tracks")
    )
