"""What a model is asked to learn, as options: the same for every command that trains."""

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Annotated, Any

import typer

from classifier import bootstrap
from classifier.records import DEFAULT_TASK, FEATURE_GROUPS, LABEL_POLICIES

Split = Annotated[
    str,
    typer.Option(help="Judge by the frozen folds, or by the official sides a dataset came with."),
]
"""An option of the commands whose figures are compared with published ones."""


def _options(
    task: Annotated[
        str, typer.Option(help="The question; only models of the same task compete.")
    ] = DEFAULT_TASK,
    estimator: Annotated[
        str | None, typer.Option(help="What learns; an unknown name shows all there are.")
    ] = None,
    genres: Annotated[str | None, typer.Option(help="Only these genres: a,b,c.")] = None,
    exclude: Annotated[str | None, typer.Option(help="All genres but these: a,b,c.")] = None,
    features: Annotated[
        str | None,
        typer.Option(
            help=f"What to look at: some of {', '.join(FEATURE_GROUPS)}. [the first four, and of "
            "the others what is known of a tenth of the labelled tracks]"
        ),
    ] = None,
    descriptors: Annotated[
        str | None,
        typer.Option(help="Which set of descriptors [the one that most labelled tracks have]."),
    ] = None,
    labels: Annotated[
        str,
        typer.Option(
            help="claim: one genre a track; exclusive: leave out tracks with two; shared: a track "
            "seen under several is learned under each, and counts as one."
        ),
    ] = LABEL_POLICIES[0],
    mapping: Annotated[
        str | None,
        typer.Option(help="Which mapping of fine genres to broad ones [genrebase-13]."),
    ] = None,
    level: Annotated[
        str | None, typer.Option(help="Tell apart fine genres (default) or broad ones.")
    ] = None,
    unmapped: Annotated[
        str | None,
        typer.Option(
            help="Genres the mapping does not know: drop (default), other (one genre) or own."
        ),
    ] = None,
    within: Annotated[
        str | None, typer.Option(help="Only the fine genres inside this broad one.")
    ] = None,
    per_genre: Annotated[
        int | None, typer.Option(min=1, help="Learn from at most so many tracks of each genre.")
    ] = None,
    min_tracks: Annotated[
        int | None, typer.Option(min=2, help="Leave out genres with fewer labelled tracks [30].")
    ] = None,
    params: Annotated[
        list[str] | None, typer.Option("--param", help="A parameter of the estimator: name=value.")
    ] = None,
    scaling: Annotated[
        str | None,
        typer.Option(help="standard, minmax or none; by default what the estimator needs."),
    ] = None,
    pca: Annotated[
        str | None,
        typer.Option(help="Principal components: so many, or a share to explain: 8 or 0.95."),
    ] = None,
    outliers: Annotated[
        str | None,
        typer.Option(
            help="Learn from no track that lies alone: in its genre, or overall (DBSCAN)."
        ),
    ] = None,
    balance: Annotated[
        str | None,
        typer.Option(help="Rare genres count as much as common ones: by weights, or by smote."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of everything random.")] = None,
) -> None:
    """Hold the options; what they mean is in `bootstrap.training_config`."""


def with_training_options(*, without: Sequence[str] = ()) -> Callable[[Callable[..., None]], Any]:
    """Give a command these options (but `without`); it gets them as one `choice`.

    The command's first parameter is `choice: Choice`; its own options come after ours.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        shared = inspect.signature(_options).parameters
        ours = [option for name, option in shared.items() if name not in without]
        own = list(inspect.signature(command).parameters.values())[1:]

        @wraps(command)
        def run(**told: Any) -> None:
            words = {option.name: told.pop(option.name) for option in ours}
            command(bootstrap.training_config(bootstrap.load_settings(), **words), **told)

        parameters = [one.replace(kind=one.KEYWORD_ONLY) for one in (*ours, *own)]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # Typer asks it
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        return run

    return decorate
