"""The configuration of a training: one description of each option.

The fields of `TrainingConfig` and `Preprocessing` carry their command-line option as metadata. The
options of all commands that train (`commands.training_options`), the JSON stored with a model and
the command line that reproduces it are derived from these fields.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Final

from classifier.config_options import (
    Option,
    check_value,
    join_list,
    option,
    parse_components,
    parse_list,
    parse_parameter,
)
from classifier.errors import BadTrainingConfig

if TYPE_CHECKING:
    from classifier.model_records import StoredModel

DEFAULT_TASK: Final = "main"
"""The task whose predictions the view `predictions` shows."""

DEFAULT_FEATURE_GROUPS: Final = ("audio", "metadata", "text", "history")

FEATURE_GROUPS: Final = (
    *DEFAULT_FEATURE_GROUPS,
    *("harmony", "timbre", "acousticbrainz", "descriptors", "matrices"),
)

SPLITS: Final = ("frozen", "official")
"""The train/test split: by the frozen folds of names, or the one a dataset was published with."""

SOFT_LABELS: Final = "shared"
"""A track counts for every genre it was seen under, for each with the same weight."""

EXCLUSIVE_LABELS: Final = "exclusive"
"""Tracks that were seen under one genre only."""

LABEL_POLICIES: Final = ("claim", EXCLUSIVE_LABELS, SOFT_LABELS)
"""Which labels to train on: every claim, claims of tracks seen under one genre only, or all."""

MAX_SEED: Final = 2**32 - 1
"""numpy takes no larger one."""

MIN_TRACKS_PER_GENRE: Final = 30
"""Default: a genre with fewer labelled tracks cannot be evaluated."""

LICENCES: Final = ("any", "noncommercial", "open")
"""Licences of labels and features to train on; each allows fewer than the one before it."""

MIN_LEVELS: Final = ("artist", "release", "recording")
"""The minimum level of a label; each allows fewer labels than the one before it."""

LEVELS: Final = ("fine", "broad")
"""Whether the classes are the genres themselves or the broad genres of a mapping."""

UNMAPPED_POLICIES: Final = ("drop", "other", "own")
"""Genres that the mapping lacks are dropped, put into one genre, or each become one."""

SCALINGS: Final = ("standard", "minmax", "none")
"""Mean 0 and standard deviation 1, range 0..1, or unscaled."""

OUTLIER_SCOPES: Final = ("genre", "overall")
"""Whether outliers are searched for inside each genre or among all tracks."""

BALANCING_METHODS: Final = ("weights", "smote")
"""Class imbalance: weight rare genres up, or oversample them with synthetic tracks (SMOTE)."""


def _parse_task(text: str) -> str:
    if not text.strip():
        raise BadTrainingConfig("A task needs a name.")
    return text.strip()


def parse_features(text: str) -> tuple[str, ...]:
    """Return the groups in the order of `FEATURE_GROUPS`: their order makes no other model."""
    groups = parse_list(text)
    for group in groups:
        check_value("feature group", group, FEATURE_GROUPS)
    if not groups:
        raise BadTrainingConfig(f"Name a feature group: {', '.join(FEATURE_GROUPS)}.")
    return tuple(group for group in FEATURE_GROUPS if group in groups)


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Preprocessing before an estimator is fitted; None: what the estimator needs.

    It is fitted on, and applied to, the training tracks. Later tracks are scaled and projected in
    the same way; none of them is removed as an outlier or added by oversampling.
    """

    scaling: str | None = option(
        None, "standard, minmax or none (default: what the estimator needs).", values=SCALINGS
    )
    components: int | float | None = option(
        None,
        "Number of principal components, such as 8, or share of the variance to explain, such as "
        "0.95 (default: no PCA).",
        name="pca",
        parse=parse_components,
    )
    """Number of principal components, or the share of the variance that they explain."""
    outliers: str | None = option(
        None,
        "Remove outliers (DBSCAN noise) from the training tracks: genre or overall.",
        values=OUTLIER_SCOPES,
    )
    balance: str | None = option(
        None,
        "Class imbalance: weights (class weights) or smote (oversample rare genres).",
        values=BALANCING_METHODS,
    )

    def as_json(self) -> dict[str, Any]:
        """Return the values that are set."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """What to train, on which tracks; stored with the model."""

    task: str = option(
        DEFAULT_TASK,
        f"Name of the task; only models of one task compete (default: {DEFAULT_TASK}).",
        parse=_parse_task,
    )
    estimator: str = option(
        "blend", "The estimator; for an unknown name, the error message lists all names."
    )
    genres: tuple[str, ...] | None = option(
        None, "Only these genres: a,b,c.", parse=lambda text: tuple(parse_list(text))
    )
    """None: all."""
    exclude: tuple[str, ...] = option(
        (), "All genres but these: a,b,c.", parse=lambda text: tuple(parse_list(text))
    )
    features: tuple[str, ...] = option(
        DEFAULT_FEATURE_GROUPS,
        f"Feature groups: some of {', '.join(FEATURE_GROUPS)} (default: "
        "audio, metadata, text and history, and each of harmony, timbre, acousticbrainz and "
        "descriptors that at least a tenth of the labelled tracks have; cnn adds matrices).",
        parse=parse_features,
    )
    auto_features: bool = False
    """Add feature groups that enough tracks have; `audio_joins.resolve_features` decides, once."""
    descriptors: str | None = option(
        None,
        "Descriptor sets, used side by side: SET,SET (default: the one set that most labelled "
        "tracks have).",
        parse=lambda text: join_list(sorted(parse_list(text))),
    )
    """See `descriptor_sets`."""
    split: str = option(
        SPLITS[0],
        "The split to evaluate on: frozen (by folds; default) or official (published with a "
        "dataset).",
        values=SPLITS,
    )
    labels: str = option(
        LABEL_POLICIES[0],
        "claim (default): one genre per track; exclusive: leave out tracks with sightings of "
        "several genres; shared: a track counts for every genre of its sightings, with weights "
        "that sum to one: by votes if the source of the claim has votes, otherwise equal.",
        values=LABEL_POLICIES,
    )
    licence: str = option(
        LICENCES[0],
        "Train only on labels and features under these licences: open, noncommercial (open and "
        "non-commercial licences) or any (default).",
        values=LICENCES,
    )
    min_level: str = option(
        MIN_LEVELS[0],
        "Use only labels of this level or a closer one: recording; release (and recording); or "
        "artist (all levels; default). Labels without a level are always used.",
        values=MIN_LEVELS,
    )
    mapping: str | None = option(
        None, "The mapping of fine genres to broad ones (default: genrebase-13)."
    )
    level: str = option(LEVELS[0], "Classify fine or broad genres (default: fine).", values=LEVELS)
    unmapped: str = option(
        UNMAPPED_POLICIES[0],
        "Genres that are not in the mapping: drop (default), other (merge into one) or own "
        "(keep as they are).",
        values=UNMAPPED_POLICIES,
    )
    within: str | None = option(None, "Only the fine genres of this broad genre.")
    per_genre: int | None = option(
        None,
        "Train on at most this many of the tracks of each genre, drawn at random from the tracks "
        "that were read.",
        type=int,
        minimum=1,
    )
    """The evaluation uses all tracks all the same."""
    tracks_per_genre: int | None = option(
        None,
        "Read at most this many tracks of each genre for each of three purposes: training, "
        "validation on unseen artists, test on unseen artists. Artists are chosen by a hash of "
        "their names (default: all tracks).",
        type=int,
        minimum=2,
    )
    """See `data.artist_sample`. None: all."""
    min_tracks: int = option(
        MIN_TRACKS_PER_GENRE,
        f"Leave out genres with fewer labelled tracks (default: {MIN_TRACKS_PER_GENRE}).",
        type=int,
        minimum=2,
    )
    params: Mapping[str, Any] = field(
        default_factory=dict,
        metadata={
            "option": Option(
                "A parameter of the estimator: name=value.",
                name="param",
                type=list[str],
                parse=lambda texts: dict(parse_parameter(text) for text in texts),
            )
        },
    )
    """Parameters of the estimator that differ from its defaults."""
    seed: int = option(
        0, "Random seed of training and evaluation.", type=int, minimum=0, maximum=MAX_SEED
    )
    preprocessing: Preprocessing = Preprocessing()

    @property
    def descriptor_sets(self) -> tuple[str, ...]:
        """Return the names of the descriptor sets in `descriptors`."""
        return tuple(parse_list(self.descriptors or ""))

    @classmethod
    def from_options(
        cls, given: Mapping[str, Any], defaults: "TrainingConfig"
    ) -> "TrainingConfig":
        """Return the config that command-line options describe.

        `given` maps the names in `OPTIONS` to what was typed; None counts as not given. Raise
        `BadTrainingConfig` or `BadParameter`.
        """
        values = {}
        for name, typed in given.items():
            if typed is None:
                continue
            described = OPTIONS[name]
            if described.values:
                check_value(described.name or name, typed, described.values)
            values[name] = described.parse(typed)
        if values.get("level") == "broad" and "within" in values:
            raise BadTrainingConfig(
                "A broad genre contains fine genres only: leave out --level broad or --within."
            )
        if "unmapped" in values and values.get("level") != "broad":
            raise BadTrainingConfig("--unmapped applies to --level broad only: add that.")
        features = values.get("features")
        if "descriptors" in values and features is not None and "descriptors" not in features:
            raise BadTrainingConfig(
                "--descriptors applies to the group descriptors only: add it to --features."
            )
        limit = values.get("tracks_per_genre", defaults.tracks_per_genre)
        minimum = values.get("min_tracks", defaults.min_tracks)
        if limit is not None and limit < minimum:
            raise BadTrainingConfig(
                f"With at most {limit} tracks per genre no genre has the {minimum} that "
                "--min-tracks asks for: raise --tracks-per-genre, or lower --min-tracks."
            )
        steps = {name: values.pop(name) for name in Preprocessing.__slots__ if name in values}
        return replace(
            defaults,
            auto_features="features" not in values,
            preprocessing=replace(defaults.preprocessing, **steps),
            **values,
        )

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "TrainingConfig":
        """Return a config from what `as_full_json` returned."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in stored.items()
            if name in cls.__slots__
        }
        steps = Preprocessing(**stored.get(_PREPROCESSING_KEY, {}))
        return cls(**values, preprocessing=steps)

    @classmethod
    def from_model(cls, model: "StoredModel") -> "TrainingConfig":
        """Return the config that a stored model was trained with."""
        columns = {name: getattr(model, name) for name in _MODEL_COLUMNS}
        return cls.from_json({**columns, **model.training_config})

    def as_json(self) -> dict[str, Any]:
        """Return the config without task, estimator and parameters, which have columns."""
        values = {
            name: list(value) if isinstance(value, tuple) else value
            for name in self.__slots__
            if name not in (*_MODEL_COLUMNS, "auto_features", "preprocessing")
            and (
                (value := getattr(self, name)) != _FIELDS[name].default
                or name not in _OMITTED_DEFAULTS
            )
        }
        if steps := self.preprocessing.as_json():
            values[_PREPROCESSING_KEY] = steps
        return values

    def as_full_json(self) -> dict[str, Any]:
        columns = {"task": self.task, "estimator": self.estimator, "params": dict(self.params)}
        return {**columns, **self.as_json()}

    def override(self, given: "TrainingConfig", defaults: "TrainingConfig") -> "TrainingConfig":
        """Return this config with every field in which `given` differs from `defaults`."""
        changed = {
            name: getattr(given, name)
            for name in self.__slots__
            if getattr(given, name) != getattr(defaults, name)
        }
        return replace(self, **changed)

    def command_args(self) -> Iterator[str]:
        """Yield the command-line options that give this config, as far as it is not the default.

        The estimator is always among them: a setting may change its default.
        """
        for name, described in OPTIONS.items():
            owner: Any = self.preprocessing if name in Preprocessing.__slots__ else self
            value = getattr(owner, name)
            if name == "params":
                for parameter, setting in value.items():
                    text = (
                        setting
                        if isinstance(setting, str)
                        else json.dumps(setting, ensure_ascii=False)
                    )
                    yield from ("--param", f"{parameter}={text}")
            elif name == "estimator" or value != _FIELDS[name].default:
                option_name = (described.name or name).replace("_", "-")
                yield f"--{option_name}"
                yield join_list(value) if isinstance(value, tuple) else str(value)

    def same_question(self, other: "TrainingConfig") -> bool:
        """Return whether both have the same kind of labels and split, so that models compete."""
        return all(
            getattr(self, name) == getattr(other, name)
            for name in ("mapping", "level", "unmapped", "split")
        )


_PREPROCESSING_KEY: Final = "preparation"
_MODEL_COLUMNS: Final = ("task", "estimator", "params")
"""Fields that have columns of their own in the table `model`."""
_OMITTED_DEFAULTS: Final = ("descriptors", "split", "licence", "min_level", "tracks_per_genre")
"""Fields that are stored only where they are not the default."""
_FIELDS: Final = {
    one.name: one for kind in (TrainingConfig, Preprocessing) for one in fields(kind)
}
OPTIONS: Final[Mapping[str, Option]] = {
    name: one.metadata["option"] for name, one in _FIELDS.items() if "option" in one.metadata
}
"""Field name to option, in the order of the command line's help."""


def train_job_name(task: str) -> str:
    """Return the name of trainings of `task` in `job_run`."""
    return "train" if task == DEFAULT_TASK else f"train {task}"
