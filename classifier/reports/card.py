"""The model card: what a model predicts, how good it is and where it fails. Pure.

The headings follow Mitchell et al., Model Cards for Model Reporting (FAT* 2019), as far as they
apply to music genres.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from classifier import licence_terms
from classifier.data_sources import TrainingSources
from classifier.evaluation.report import SIBLINGS_CURVE, overall_value
from classifier.model_records import (
    FEW_TRACKS,
    REGIME_TITLES,
    SIBLINGS_REGIME,
    STATUS_TITLES,
    MetricRow,
    StoredModel,
    siblings_caution,
)
from genrebase.counts import counted
from genrebase.errors import UserError

METRIC_TITLES: Final = {
    "accuracy": "accuracy",
    "baseline": "majority baseline",
    "macro_f1": "macro F1",
    "top3": "genre among the first three",
    "log_loss": "log-loss",
    "ece": "calibration error",
    "ece_by_chance": "calibration error of a calibrated model by chance",
    "any_genre_accuracy": "one of the track's genres",
    "several_genres_accuracy": "tracks of several genres: the label",
    "several_genres_any_accuracy": "tracks of several genres: any of them",
    "several_genres_ranking": "tracks of several genres: label ranking average precision",
    "verdict_accuracy": "against people's verdicts",
}
SIBLING_BRACKETS: Final = {
    "accuracy_with_siblings_seen_elsewhere": "only those seen under other genres (lower bracket)",
    "accuracy_with_siblings_labels": "all, with their true labels (upper bracket)",
}
LABEL_POLICY_TITLES: Final = {
    "claim": "the genre in which a track ranks best, or a person's verdict",
    "exclusive": "that of tracks with sightings of one genre only, or a person's verdict",
    "shared": "every genre of the sightings, weighted by votes where there are any",
}
EVALUATION: Final = (
    "Every artist and every track name has a fixed fold, by a hash of its text. *Unseen artists*: "
    "no credited artist of the test track has a training track. *Seen artists*: a credited artist "
    "has another track in training. Nothing was selected by these tracks. Intervals are 95% and "
    "resample artists, not tracks."
)
WORST_GENRES_SHOWN: Final = 5
"""Worst genres that are named, of those with enough test tracks."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model and its metrics.

    Raise `UserError` for an archived model, `BrokenArtifact` for one of an earlier version.
    """

    model: StoredModel
    parent: StoredModel | None
    """Of a refit: the model that the metrics are of."""
    rows: Sequence[MetricRow]
    """Metrics of the model; of a refit those of its parent."""
    origins: Mapping[str, int]
    """Sources of the tracks in the database, with their numbers."""
    command: str
    """The command that trains the same model."""

    def __post_init__(self) -> None:
        """Refuse an archived model, and one of an earlier version."""
        if self.model.is_archived:
            raise UserError(
                f"Model {self.model.id} has no card: only its main metrics are stored "
                "(`classifier models` shows them). CLASSIFIER_MODELS_REMEMBERED sets how many "
                "models keep all metrics."
            )
        self.evaluated_model.refuse_earlier_version()

    @property
    def evaluated_model(self) -> StoredModel:
        """Return the model that the metrics are of."""
        return self.parent or self.model

    def as_json(self) -> dict[str, Any]:
        """Return the JSON of `card --json`."""
        return {
            "model": self.model.as_json(),
            "figures_of": self.evaluated_model.id,
            "classes": list(self.model.classes),
            "columns": list(self.model.feature_schema["columns"]),
            "left_out": list(self.model.feature_schema.get("left_out", ())),
            "figures": {
                regime: self._metrics(regime) for regime in (*REGIME_TITLES, SIBLINGS_REGIME)
            },
            "genres": {regime: self._genres(regime) for regime in REGIME_TITLES},
            "worst": {regime: self._worst(regime) for regime in REGIME_TITLES},
            "training_accuracy": overall_value(self.rows, "train", "all", "accuracy"),
            "random_split_accuracy": overall_value(self.rows, "random", "all", "accuracy"),
            "origins": dict(self.origins),
            "limits": list(self._limits()),
            "data_fingerprint": self.model.data_fingerprint,
            "artifact_sha256": self.model.artifact_sha256,
            "versions": dict(self.model.versions),
            "command": self.command,
            "sources": self.model.sources,
            "terms": " ".join(self._publishing()),
        }

    def as_markdown(self) -> str:
        """Return the card as Markdown."""
        sections = {
            "Data": self._data(),
            "Evaluation": (EVALUATION,),
            "Metrics": self._measured(),
            "Unseen artists with their other tracks": self._with_siblings(),
            "By genre": self._by_genre(),
            "Known limits": [f"- {sentence}" for sentence in self._limits()],
            "Reproduction": self._reproduction(),
            "Terms": ["\n\n".join(self._publishing())],
        }
        lines = [*self._about(), ""]
        for title, section in sections.items():
            if body := list(section):
                lines += [f"## {title}", "", *body, ""]
        return "\n".join(lines)

    def _about(self) -> Iterator[str]:
        model = self.model
        yield f"# Model {model.id}: {model.estimator}"
        yield ""
        yield (
            f"Names the genre of a track, one of {len(model.classes)}, with a probability for "
            f"each. Task `{model.task}`, trained {model.created_at:%Y-%m-%d %H:%M} UTC in "
            f"{model.seconds:.0f} s. It is {STATUS_TITLES[model.status]}: "
            f"{model.reason or 'no reason given'}"
        )
        if self.parent is not None:
            yield ""
            yield (
                f"**It is a refit without metrics of its own.** All metrics below are of model "
                f"{self.parent.id}, its parent: the same config, trained on "
                f"{counted(self.parent.trained_rows, 'track')} with the test tracks held out."
            )

    def _data(self) -> Iterator[str]:
        model, config = self.model, self.model.training_config
        columns = ", ".join(model.feature_schema["columns"])
        yield f"- Trained on {counted(model.trained_rows, 'track')}; features: {columns}."
        if left_out := model.feature_schema.get("left_out"):
            names = ", ".join(left_out)
            yield f"- Left out, because they brought nothing on the validation tracks: {names}."
        yield f"- Labels: {LABEL_POLICY_TITLES.get(config['labels'], config['labels'])}."
        if config.get("level") == "broad":
            mapping = config["mapping"] or "that is the default"
            yield f"- Genres are broad ones, by the mapping {mapping}."
        yield f"- Genres with fewer than {config['min_tracks']} tracks were left out."
        if (limit := config.get("tracks_per_genre")) is not None:
            yield (
                f"- At most {counted(limit, 'training track')} of each genre, and as many tracks "
                "of unseen artists, were taken, whole artists in the order of a hash of their "
                "names."
            )
        if config["per_genre"] is not None:
            yield (
                f"- At most {counted(config['per_genre'], 'track')} of each genre were used for "
                "training."
            )
        if model.origin is not None:
            yield f"- The catalogue is synthetic ({model.origin}): none of this is real music."
        sources = ", ".join(f"{origin} ({count:,})" for origin, count in self.origins.items())
        yield f"- Tracks in the database now, by source: {sources or 'none'}."
        yield f"- Genres: {', '.join(model.classes)}."
        yield from self._sources_table()

    def _measured(self) -> Iterator[str]:
        by_regime = {regime: self._metrics(regime) for regime in REGIME_TITLES}
        yield f"| | {' | '.join(REGIME_TITLES.values())} |"
        yield "|---|---|---|"
        counts = [one["n"] for one in by_regime.values()]
        yield f"| test tracks | {' | '.join(f'{n:,}' if n else 'none' for n in counts)} |"
        for metric, title in METRIC_TITLES.items():
            cells = [_cell(one["metrics"].get(metric)) for one in by_regime.values()]
            if any(cells):
                yield f"| {title} | {' | '.join(cells)} |"
        trained, leaking = (
            overall_value(self.rows, side, "all", "accuracy") for side in ("train", "random")
        )
        yield ""
        if trained is not None:
            yield f"On its training tracks: {trained:.3f}."
        if leaking is not None:
            yield (
                f"A random 80/20 split of these rows, as is usual in publications, gives "
                f"{leaking:.3f}: artists and their albums are on both of its sides."
            )

    def _with_siblings(self) -> Iterator[str]:
        measured = self._metrics(SIBLINGS_REGIME)
        metrics = measured["metrics"]
        if not measured["n"]:
            return
        yield siblings_caution({name: one["value"] for name, one in metrics.items()})
        yield "Promotion does not use these metrics, and no prediction uses a sibling's label."
        yield ""
        yield "| siblings | accuracy | test tracks that have so many |"
        yield "|---|---|---|"
        for number in SIBLINGS_CURVE:
            share = metrics.get(f"tracks_with_{number}_siblings")
            among = "100%" if share is None else f"{share['value']:.0%}"
            accuracy = _cell(metrics.get(f"accuracy_with_{number}_siblings"))
            yield f"| {number or 'none: the track alone'} | {accuracy} | {among} |"
        mean = metrics["siblings_per_track"]["value"]
        yield f"| all | {_cell(metrics['accuracy'])} | {mean:.1f} on average |"
        for name, title in SIBLING_BRACKETS.items():
            yield f"| {title} | {_cell(metrics.get(name))} | |"
        error, chance = (metrics[name]["value"] for name in ("ece", "ece_by_chance"))
        yield ""
        yield (
            f"With all siblings the calibration error is {error:.3f}. All tracks of an artist "
            "then have nearly the same prediction, so that there are as many independent cases as "
            f"artists: a calibrated model would have {chance:.3f} by chance."
        )

    def _by_genre(self) -> Iterator[str]:
        new, seen = (self._genres(regime) for regime in REGIME_TITLES)
        if not new and not seen:
            return
        yield f"| genre | F1, {' | F1, '.join(REGIME_TITLES.values())} |"
        yield "|---|---|---|"
        for genre in sorted(new.keys() | seen.keys()):
            yield f"| {genre} | {_cell(new.get(genre))} | {_cell(seen.get(genre))} |"
        for regime, title in REGIME_TITLES.items():
            worst = self._worst(regime)
            if worst:
                yield ""
                yield f"Worst for {title}: {', '.join(worst)}."

    def _limits(self) -> Iterator[str]:
        new, seen = (
            overall_value(self.rows, "test", regime, "accuracy") for regime in REGIME_TITLES
        )
        if new is not None and seen is not None and new < seen:
            yield (
                f"It is correct for {new:.0%} of the tracks of unseen artists, against {seen:.0%} "
                f"of seen artists: expect the lower accuracy for new music."
            )
        yield (
            "Labels are the results of a catalogue's genre search; people may disagree, and a "
            "genre may have no typical sound."
        )
        few = sorted(
            {
                genre
                for regime in REGIME_TITLES
                for genre, f1 in self._genres(regime).items()
                if f1["n"] < FEW_TRACKS
            }
        )
        if few:
            names = ", ".join(few)
            yield f"Fewer than {FEW_TRACKS} test tracks in a regime (poor estimate): {names}."
        for regime, title in REGIME_TITLES.items():
            if not self._metrics(regime)["n"]:
                yield f"There were no test tracks of {title}: nothing is measured for these."
        yield "A track outside these genres is still given one of them."

    def _reproduction(self) -> Iterator[str]:
        model = self.model
        yield f"    {self.command}"
        yield ""
        yield f"- Data: `{model.data_fingerprint}` (`classifier snapshot` saves the rows)."
        if model.artifact_sha256 is not None:
            kind = "" if ":" in model.artifact_sha256 else "SHA-256 "
            yield f"- Artifact: {kind}`{model.artifact_sha256}`."
        versions = [f"{name} {one}" for name, one in model.versions.items() if name != "code"]
        yield f"- Seed {model.training_config['seed']}; {', '.join(versions)}."

    def _publishing(self) -> list[str]:
        """Return what follows from the licences, a paragraph per class."""
        return list(licence_terms.publishing_paragraphs(self._sources))

    @property
    def _sources(self) -> TrainingSources:
        return TrainingSources.from_json(cast("Mapping[str, Any]", self.model.sources))

    def _sources_table(self) -> Iterator[str]:
        sources = self._sources
        yield ""
        yield "| source | of | licence | class | count |"
        yield "|---|---|---|---|---|"
        counted = (("labels", sources.labels), ("features of tracks", sources.features))
        for what, counts in counted:
            for one in counts:
                licence = licence_terms.title(one.licence)
                yield (
                    f"| {one.source} | {what} | {licence} | {one.licence_class} | {one.count:,} |"
                )
        sentences = [*sources.left_out.sentences(sources.licence, sources.min_level)]
        if sentences:
            yield ""
            yield " ".join(sentences)

    def _metrics(self, regime: str) -> dict[str, Any]:
        metrics = {
            row.metric: _row_json(row)
            for row in self.rows
            if (row.side, row.regime, row.genre) == ("test", regime, None)
        }
        accuracy = metrics.get("accuracy")
        return {"n": 0 if accuracy is None else accuracy["n"], "metrics": metrics}

    def _genres(self, regime: str) -> dict[str, dict[str, Any]]:
        return {
            row.genre: _row_json(row)
            for row in self.rows
            if (row.side, row.regime, row.metric) == ("test", regime, "f1")
            and row.genre is not None
            and row.n > 0
        }

    def _worst(self, regime: str) -> list[str]:
        scores = [
            (one["value"], genre)
            for genre, one in self._genres(regime).items()
            if one["n"] >= FEW_TRACKS and one["value"] is not None
        ]
        return [genre for _, genre in sorted(scores)[:WORST_GENRES_SHOWN]]


def _row_json(row: MetricRow) -> dict[str, Any]:
    interval = None if row.low is None or row.high is None else [row.low, row.high]
    return {"value": row.value, "interval": interval, "n": row.n}


def _cell(metric: Mapping[str, Any] | None) -> str:
    if metric is None or metric["value"] is None:
        return ""
    interval = metric["interval"]
    span = "" if interval is None else f" ({interval[0]:.3f} to {interval[1]:.3f})"
    few = f" *on {metric['n']} tracks*" if metric["n"] < FEW_TRACKS else ""
    return f"{metric['value']:.3f}{span}{few}"
