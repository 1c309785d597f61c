"""The command `classifier predict`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from classifier import threads
from classifier.config_options import parse_parameter
from classifier.errors import BadTrainingConfig
from classifier.model_records import TrackPrediction
from classifier.settings import ClassifierSettings
from classifier.training_config import DEFAULT_TASK
from genrebase.counts import agree, counted
from genrebase.runtime.command_line import OnCluster
from genrebase.runtime.console import Output
from genrebase.settings import GenrebaseSettings

_NO_AUDIO_WARNING = (
    "Model {model} was not trained on audio descriptors: it uses tags, tempo and key of a file "
    "only. To train on files: `collector import-audio FOLDER`, then `classifier train --features "
    "audio,descriptors`."
)


def predict(
    track: Annotated[
        str | None,
        typer.Option(help="A track: source ID, Spotify URL or URI, or `track_id`."),
    ] = None,
    search: Annotated[
        str | None, typer.Option(help="Tracks whose title and artists contain all these words.")
    ] = None,
    title: Annotated[
        str | None,
        typer.Option(help="Title of a track to predict, which need not be in the database."),
    ] = None,
    artist: Annotated[
        list[str] | None, typer.Option(help="Artist of the described track; repeatable.")
    ] = None,
    album: Annotated[str | None, typer.Option(help="Album of the described track.")] = None,
    feature: Annotated[
        list[str] | None, typer.Option(help="Feature of the described track: energy=0.8.")
    ] = None,
    sound: Annotated[
        Path | None,
        typer.Option(
            "--audio", help="An audio file, or a folder of them (needs the extra audio)."
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="All new and changed tracks (the default).")
    ] = False,
    pool_siblings: Annotated[
        bool | None,
        typer.Option(
            "--pool-siblings/--track-alone",
            help="Predict tracks of unseen artists together with the artist's other tracks, or "
            "each track alone (default: CLASSIFIER_POOL_SIBLINGS; not with --audio or --on).",
        ),
    ] = None,
    task: Annotated[str, typer.Option(help="The task of the champion.")] = DEFAULT_TASK,
    on: OnCluster = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Store predictions for new and changed tracks, or show the prediction for one track.

    Training tracks keep their out-of-fold predictions.

    Examples:
      classifier predict
      classifier predict --search "love"
      classifier predict --title "Blue Moon" --artist "The Marcels"
    """
    for option, text in (("--title", title), ("--album", album), ("--track", track)):
        if text is not None and not text.strip():
            raise BadTrainingConfig(f"{option} needs a text: leave it out if it is unknown.")
    described = title is not None or artist or album is not None or feature
    _check_one_kind(track, search, sound, bool(described) or None, every=every, on=on)
    if search is not None and not search.strip():
        raise BadTrainingConfig(
            "--search needs words of a title or of artists, as in --search 'blue moon'."
        )
    if any(not name.strip() for name in artist or ()):
        raise BadTrainingConfig("--artist needs a name: leave it out if it is unknown.")
    if pool_siblings and (sound is not None or on is not None):
        raise BadTrainingConfig("--pool-siblings works neither with --audio nor with --on.")
    threads.configure_openmp()
    output = Output(as_json=as_json)
    champion = _ChampionOptions(
        task, ClassifierSettings.load().pool_siblings if pool_siblings is None else pool_siblings
    )
    if described:
        _describe(output, champion, title, artist or (), album, feature or ())
    elif sound is not None:
        _predict_files(output, task, sound)
    elif search is not None:
        _search(output, champion, search)
    elif track is not None:
        _predict_track(output, champion, track)
    else:
        _predict_all(output, champion, on)


@dataclass(frozen=True, slots=True)
class _ChampionOptions:
    """Which champion predicts, and how."""

    task: str
    pool_siblings: bool


def _check_one_kind(*of_some: object, every: bool, on: str | None) -> None:
    """Raise `BadTrainingConfig` for two kinds of tracks, and for `--on` with but some tracks."""
    given = sum(one is not None for one in of_some)
    if given + every > 1:
        raise BadTrainingConfig(
            "Give one of --track, --search, --audio, --all, or describe a track "
            "(--title, --artist, --album, --feature)."
        )
    if given and on is not None:
        raise BadTrainingConfig("--on is for the prediction of all tracks: leave it out.")


def _predict_all(output: Output, champion: _ChampionOptions, on: str | None) -> None:
    settings = ClassifierSettings.load()
    from classifier.commands import interrupts, model_tables
    from classifier.serving import batch_predict
    from genrebase.digests.refresh import refreshed_after
    from genrebase.runtime.clock import SystemClock
    from genrebase.runtime.cluster import open_cluster
    from genrebase.store import connect

    database, clock = connect(), SystemClock()
    distributed = (on or GenrebaseSettings.load().cluster) is not None
    if distributed and champion.pool_siblings:
        raise BadTrainingConfig(
            "A cluster predicts each track alone: leave out --on and GENREBASE_CLUSTER, or add "
            "--track-alone."
        )
    describe = partial(_stored_state, distributed=distributed)
    with (
        refreshed_after(database, clock),
        interrupts.progress_on_interrupt(output, "Predicting", describe) as progress,
        open_cluster(on) as cluster,
    ):
        done = batch_predict.run(
            database,
            clock,
            task=champion.task,
            cores=settings.threads,
            progress=progress,
            cluster=cluster,
            pool_siblings=champion.pool_siblings,
        )
    if done.scored:
        output.print(
            f"Model {done.model} predicted {counted(done.scored, 'new or changed track')} "
            f"({counted(done.written, 'row')}) in {done.seconds:.1f} s."
        )
        if done.pooled:
            output.print(
                f"{counted(done.pooled, 'track')} of unseen artists "
                f"{agree(done.pooled, 'was', 'were')} predicted together with the artist's other "
                "tracks (column `siblings` of the view `predictions`)."
            )
    else:
        output.print(f"Model {done.model} has predicted every track before: nothing is new.")
    if done.in_training:
        output.print(
            f"Its {counted(done.in_training, 'training track')} "
            f"{agree(done.in_training, 'has', 'have')} predictions from the training (out of "
            "fold: by models that were not trained on them)."
        )
    model_tables.print_origin(output, done.origin)
    output.write_json(asdict(done))


def _stored_state(scored: int, of: int, *, distributed: bool = False) -> str:
    is_minimum = distributed and of  # workers store parts of a task before it is counted
    if not scored and not is_minimum:
        return "no new prediction is stored yet."
    return (
        f"the predictions for {'at least ' if is_minimum else ''}{scored:,} of "
        f"{counted(of, 'track')} are stored; the same command continues with the others."
    )


def _predict_track(output: Output, champion: _ChampionOptions, track: str) -> None:
    from classifier.serving import predict_track as predicting
    from genrebase.store import connect

    prediction = predicting.predict_track(connect(), track, **asdict(champion))
    _show(output, prediction)
    output.write_json(prediction.as_json())


def _search(output: Output, champion: _ChampionOptions, text: str) -> None:
    from classifier.commands import model_tables
    from classifier.serving import predict_track as predicting
    from genrebase.store import connect

    predictions = predicting.predict_search(connect(), text, **asdict(champion))
    if len(predictions) == 1:
        _show(output, predictions[0])
    else:
        pooled = any(one.siblings for one in predictions)
        output.table(
            "",
            ("track", "title", "artists", "genre", "probability")
            + (("pooled with",) if pooled else ()),
            [
                (one.track, one.title, one.artists, *one.top[0])
                + ((one.siblings,) if pooled else ())
                for one in predictions
            ],
        )
        model_tables.print_origin(output, predictions[0].origin)
    output.write_json({"search": text, "answers": [one.as_json() for one in predictions]})


def _predict_files(output: Output, task: str, path: Path) -> None:
    from classifier.serving import predict_audio
    from genrebase.audio import scan
    from genrebase.store import connect

    workers = ClassifierSettings.load().threads or threads.idle_cores()
    message = "nothing is stored: --audio never stores anything."
    with output.on_interrupt(lambda: message), output.progress("Analysing") as bar:
        done = predict_audio.predict_files(
            connect(),
            path,
            task=task,
            workers=workers,
            progress=bar,
        )
    for file, remark in done.remarks:
        output.warn(f"{file}: {remark}")
    for file, reason in done.unreadable:
        output.warn(f"{file}: {reason}")
    if done.predictions and not done.uses_audio:
        output.warn(_NO_AUDIO_WARNING.format(model=done.predictions[0][1].model))
    if path.is_file():
        ((file, prediction),) = done.predictions
        _show(output, prediction)
        remarks = [remark for _, remark in done.remarks]
        output.write_json({"file": file, **prediction.as_json(), "remarks": remarks})
        return
    output.table(
        "",
        ("file", "title", "artists", "genre", "probability"),
        [
            (file.removeprefix(f"{scan.display_path(path)}/"), one.title, one.artists, *one.top[0])
            for file, one in done.predictions
        ],
    )
    output.write_json(done.as_json())


def _describe(
    output: Output,
    champion: _ChampionOptions,
    title: str | None,
    artists: Sequence[str],
    album: str | None,
    features: Sequence[str],
) -> None:
    from classifier.serving import predict_track as predicting
    from genrebase.store import connect

    numbers = dict(_number(text) for text in features)
    track = predicting.TrackDescription(title, tuple(artists), album, numbers)
    prediction = predicting.DescriptionPredictor(connect(), **asdict(champion)).predict(track)
    _show(output, prediction)
    output.write_json(prediction.as_json())


def _number(text: str) -> tuple[str, float]:
    name, value = parse_parameter(text, "--feature")
    try:
        return name, float(value)
    except (TypeError, ValueError):
        raise BadTrainingConfig(f"{value!r} is no number: write --feature {name}=0.5.") from None


def _show(output: Output, prediction: TrackPrediction) -> None:
    from classifier.commands import model_tables  # imports scikit-learn

    stored = "" if prediction.track is None else f" (track {prediction.track})"
    name = " - ".join(part for part in (prediction.title, prediction.artists) if part)
    output.print(f"{name or 'The described track'}{stored}")
    output.table("", ("genre", "probability"), prediction.top)
    output.print(f"Model {prediction.model}, {_condition(prediction)}")
    if prediction.note is not None:
        output.print(prediction.note)
    if prediction.siblings:
        output.print(
            f"Pooled with {counted(prediction.siblings, 'other track')} of the artist "
            "(--pool-siblings): most are stored because a search for a genre found them."
        )
    if prediction.in_training:
        output.print("This is a training track; the prediction is out of fold.")
    model_tables.print_origin(output, prediction.origin)


def _condition(prediction: TrackPrediction) -> str:
    """Return a sentence on what the model has seen of a track's artists."""
    described, seen = prediction.track is None, prediction.regime == "seen_artist"
    if prediction.held_out is None:
        if not prediction.artists:
            return "without an artist (--artist), predicted as for an unseen one."
        return "an artist seen in training." if seen else "an unseen artist."
    if prediction.held_out == "validation" and described:
        return "an artist held out for validation: no model is trained on it."
    unseen = f"held out for the {prediction.held_out}: the champion was not trained on it."
    if not described:
        return f"an {'' if seen else 'un'}seen artist; the track is {unseen}"
    return f"an artist {unseen} `classifier train --refit` trains a model on it, too."
