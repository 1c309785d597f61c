"""What `collector enrich` and `collector analyse` print at their end."""

import pytest

from collector.commands.download import _report_megabytes
from collector.commands.enrich import report
from collector.enrichment.result import EnrichmentResult
from genrebase.runtime.console import Output


@pytest.mark.parametrize(
    ("n_providers", "sentence"),
    [
        (1, "Not found for 4 tracks."),
        (2, "Not found in 4 cases; a track that several providers lack counts once for each."),
    ],
)
def test_cases_are_counted_only_with_several_providers(
    n_providers: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With one provider a case is a track."""
    outcome = EnrichmentResult(stopped="done", requested=5, found=1)
    report(outcome, Output(as_json=False), "track", n_providers=n_providers)
    assert sentence in capsys.readouterr().out


def test_progress_of_a_download_begins_with_a_megabyte() -> None:
    """A smaller file needs none."""
    reported: list[tuple[float, str | None]] = []

    def bar(done: float, total: float | None = None, *, note: str | None = None, **_: object):  # type: ignore[no-untyped-def]
        reported.append((done, note))

    for size in (1_000, 999_999, 2_500_000):
        _report_megabytes(bar, size)
    assert reported == [(2, "MB received")]
