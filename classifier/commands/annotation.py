"""The commands about manual annotations: `annotate-next` and `verdicts`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classifier import threads
from classifier.model_records import Interval
from classifier.settings import ClassifierSettings
from classifier.training_config import DEFAULT_TASK
from genrebase.counts import agree, counted
from genrebase.runtime.console import Output

if TYPE_CHECKING:
    from classifier.findings.annotation import AnnotationQueue, VerdictMetrics

_FILE_COLUMNS = ("track", "genre", "by", "note", "title", "artists", "claim", "predicted")
"""Columns of the file to fill in; `collector label --import` takes the first four."""


def annotate_next(
    limit: Annotated[int, typer.Option(min=1, help="How many tracks.")] = 50,
    draw: Annotated[
        bool,
        typer.Option("--random", help="Draw artists and tracks at random, to measure labels."),
    ] = False,
    output_file: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="A CSV file to fill in, for collector label --import."
        ),
    ] = None,
    task: Annotated[str, typer.Option(help="The task of the champion.")] = DEFAULT_TASK,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """List the tracks whose manual annotation is worth most, one per artist.

    First come the artists with the most labels that are probably wrong, by the champion's
    predictions. Before you measure labels and champion by `classifier verdicts`, annotate tracks
    that --random lists: the labels of doubtful tracks are wrong more often than others.

    Examples:
      classifier annotate-next --limit 20
      classifier annotate-next --random -o to_label.csv
    """
    threads.configure_openmp()
    from classifier.findings import annotation
    from genrebase.store import connect

    output = Output(as_json=as_json)
    seed = ClassifierSettings.load().seed
    queue = annotation.queue(connect(), task=task, limit=limit, random=draw, seed=seed)
    if output_file is not None:
        _write(output_file, queue)
        output.print(
            f"{output_file}: fill in genre and by, then collector label --import {output_file}"
        )
    else:
        output.table(
            "To annotate next",
            ("track", "title", "artists", "claim", "predicted", "error", "expected gain"),
            (
                (
                    str(one.track),
                    *(one.title, one.artists, one.claim, one.predicted),
                    *(one.error, one.expected_gain),
                )
                for one in queue.candidates
            ),
        )
    if queue.outside:
        output.print(
            f"{counted(queue.outside, 'track')} {agree(queue.outside, 'has', 'have')} a claim "
            "that the champion does not predict, and cannot be judged."
        )
    output.write_json(
        {
            "candidates": [asdict(one) for one in queue.candidates],
            "artists": queue.artists,
            "outside": queue.outside,
            "random": draw,
        }
    )


def verdicts(
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Measure labels and champion by the manual annotations (verdicts), with intervals.

    Trainings use verdicts as labels. The champion is nevertheless measured by predictions of
    models that were not trained on the track: for training tracks they are out of fold.

    Examples:
      classifier verdicts
    """
    threads.configure_openmp()
    from classifier.findings import annotation
    from genrebase.store import connect

    output = Output(as_json=as_json)
    measured = annotation.measure(connect(), seed=ClassifierSettings.load().seed)
    output.table(
        "Against manual annotations (verdicts)",
        ("tracks of", "verdicts", "artists", "claims correct", "champion correct", "difference"),
        (_row(one) for one in measured if one.n),
    )
    if measured[0].n < annotation.MIN_VERDICTS:
        output.print(
            f"{counted(measured[0].n, 'verdict')}: the intervals are of use from "
            f"{annotation.MIN_VERDICTS} on."
        )
    output.print(
        "Unbiased only for tracks that were drawn at random (classifier annotate-next --random)."
    )
    output.write_json(
        [
            {
                name: one._asdict() if isinstance(one, Interval) else one
                for name, one in row.items()
            }
            for row in map(asdict, measured)
        ]
    )


def _row(metrics: "VerdictMetrics") -> tuple[object, ...]:
    titles = {"all": "all", "new_artist": "unseen artists", "seen_artist": "seen artists"}
    return (
        titles[metrics.regime],
        metrics.n,
        metrics.artists,
        _cell(metrics.claim_accuracy, metrics.claim_interval),
        _cell(metrics.predicted_accuracy, metrics.predicted_interval),
        _cell(metrics.gain, metrics.gain_interval),
    )


def _cell(value: float | None, interval: Interval | None) -> str | None:
    if value is None:
        return None
    span = "" if interval is None else f" ({interval.low:.3f} to {interval.high:.3f})"
    return f"{value:.3f}{span}"


def _write(path: Path, queue: "AnnotationQueue") -> None:
    from genrebase import new_file

    with new_file.create_csv(path, _FILE_COLUMNS) as writer:
        for one in queue.candidates:
            cells = (one.title, one.artists, one.claim or "", one.predicted)
            writer.writerow((one.track, "", "", "", *cells))
