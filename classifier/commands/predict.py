"""The command `classifier predict`."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from classifier import threads
from classifier.errors import BadTrainingConfig
from classifier.records import TrackPrediction
from classifier.settings import ClassifierSettings
from classifier.training_config import DEFAULT_TASK, parse_parameter
from genrebase.runtime.console import Output

_DEAF = (
    "Model {model} learned no descriptors of sound: of a file it understands tags, tempo and key. "
    "Train on files: `collector import-audio`, then `classifier train --features descriptors,...`."
)


def predict(
    track: Annotated[
        str | None,
        typer.Option(help="One track: a source's id, a Spotify address or URI, or its number."),
    ] = None,
    search: Annotated[
        str | None, typer.Option(help="Tracks with all these words in title and artists.")
    ] = None,
    title: Annotated[
        str | None, typer.Option(help="Describe a track that need not be in the database.")
    ] = None,
    artist: Annotated[
        list[str] | None, typer.Option(help="Of the described track; once for each artist.")
    ] = None,
    album: Annotated[str | None, typer.Option(help="Of the described track.")] = None,
    feature: Annotated[
        list[str] | None, typer.Option(help="Of the described track, as in energy=0.8.")
    ] = None,
    sound: Annotated[
        Path | None,
        typer.Option("--audio", help="A sound file, or a folder of them (the extra audio)."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="All tracks without an answer (the default).")
    ] = False,
    task: Annotated[str, typer.Option(help="Whose champion to ask.")] = DEFAULT_TASK,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Store the champion's answers for every track that has none yet, or show those for one.

    Tracks it learned from keep the answers that refits gave which had not learned from them.
    """
    described = title is not None or artist or album is not None or feature
    asked = (track is not None, search is not None, sound is not None, bool(described), every)
    if sum(asked) > 1:
        raise BadTrainingConfig(
            "Say one of --track, --search, --audio, --all, or describe a track "
            "(--title, --artist, --album, --feature)."
        )
    if search is not None and not search.strip():
        raise BadTrainingConfig(
            "--search wants words of a title or of artists, as in --search 'blue moon'."
        )
    if any(not name.strip() for name in artist or ()):
        raise BadTrainingConfig("--artist wants a name: leave it out where nobody knows it.")
    threads.configure_openmp()
    output = Output(as_json=as_json)
    if described:
        _describe(output, task, title, artist or (), album, feature or ())
    elif sound is not None:
        _listen(output, task, sound)
    elif search is not None:
        _search(output, task, search)
    elif track is not None:
        _answer(output, task, track)
    else:
        _score(output, task)


def _score(output: Output, task: str) -> None:
    settings = ClassifierSettings.load()
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier.commands import interrupts, tables
    from classifier.serving import batch_predict
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    with interrupts.progress_on_interrupt(output, "Predicting", _answered) as progress:
        done = batch_predict.run(
            connect(), SystemClock(), task=task, cores=settings.threads, progress=progress
        )
    output.print(
        f"Model {done.model} answered for {done.scored:,} tracks ({done.written:,} rows) "
        f"in {done.seconds:.1f} s."
    )
    tables.print_origin(output, done.origin)
    output.write_json(asdict(done))


def _answered(scored: int, of: int) -> str:
    if not scored:
        return "no new answer is stored yet."
    return (
        f"the answers for {scored:,} of {of:,} tracks are stored; the same command goes on with "
        "the others."
    )


def _answer(output: Output, task: str, track: str) -> None:
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier.serving import predict as predicting
    from genrebase.store import connect

    found = predicting.predict_track(connect(), track, task=task)
    _show(output, found)
    output.write_json(found.as_json())


def _search(output: Output, task: str, text: str) -> None:
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier.commands import tables
    from classifier.serving import predict as predicting
    from genrebase.store import connect

    found = predicting.predict_search(connect(), text, task=task)
    if len(found) == 1:
        _show(output, found[0])
    else:
        output.table(
            "",
            ("track", "title", "artists", "genre", "probability"),
            [(one.track, one.title, one.artists, *one.top[0]) for one in found],
        )
        tables.print_origin(output, found[0].origin)
    output.write_json({"search": text, "answers": [one.as_json() for one in found]})


def _listen(output: Output, task: str, path: Path) -> None:
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier.serving import predict_audio
    from genrebase.store import connect

    workers = ClassifierSettings.load().threads or threads.idle_cores()
    told = "nothing of what was heard is stored, as ever with --audio."
    with output.on_interrupt(lambda: told), output.progress("Listening") as bar:
        done = predict_audio.predict_files(
            connect(),
            path,
            task=task,
            workers=workers,
            progress=bar,
        )
    for file, reason in done.unreadable:
        output.warn(f"{file}: {reason}")
    if done.predictions and not done.uses_audio:
        output.warn(_DEAF.format(model=done.predictions[0][1].model))
    if path.is_file():
        ((file, found),) = done.predictions
        _show(output, found)
        output.write_json({"file": file, **found.as_json()})
        return
    output.table(
        "",
        ("file", "title", "artists", "genre", "probability"),
        [
            (Path(file).relative_to(path), one.title, one.artists, *one.top[0])
            for file, one in done.predictions
        ],
    )
    output.write_json(done.as_json())


def _describe(
    output: Output,
    task: str,
    title: str | None,
    artists: Sequence[str],
    album: str | None,
    features: Sequence[str],
) -> None:
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier.serving import predict as predicting
    from genrebase.store import connect

    numbers = dict(_number(text) for text in features)
    track = predicting.TrackDescription(title, tuple(artists), album, numbers)
    found = predicting.predict_described(connect(), track, task=task)
    _show(output, found)
    output.write_json(found.as_json())


def _number(text: str) -> tuple[str, float]:
    name, value = parse_parameter(text)
    try:
        return name, float(value)
    except (TypeError, ValueError):
        raise BadTrainingConfig(f"{value!r} is no number: write --feature {name}=0.5.") from None


def _show(output: Output, found: TrackPrediction) -> None:
    from classifier.commands import tables  # brings scikit-learn

    stored = "" if found.track is None else f" (track {found.track})"
    named = " - ".join(part for part in (found.title, found.artists) if part)
    output.print(f"{named or 'The described track'}{stored}")
    output.table("", ("genre", "probability"), found.top)
    knows = "an artist it knows" if found.regime == "seen_artist" else "an artist it never met"
    output.print(f"Model {found.model}, {knows}.")
    if found.in_training:
        output.print("It learned from this track; the answer is of a refit that did not.")
    tables.print_origin(output, found.origin)
