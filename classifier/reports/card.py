"""The model card: what a model is, what it knows, how good it is and where it fails. Pure.

The headings follow Mitchell et al., Model Cards for Model Reporting (FAT* 2019), as far as they
mean something for genres of music.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from classifier.errors import ArtifactDropped
from classifier.records import FEW_TRACKS, MetricRow, StoredModel
from classifier.training.snapshots import SPOTIFY_TERMS

REGIME_TITLES: Final = {"new_artist": "new artists", "seen_artist": "artists it knows"}
METRIC_TITLES: Final = {
    "accuracy": "accuracy",
    "baseline": "always the commonest genre",
    "macro_f1": "macro F1",
    "top3": "genre among the first three",
    "log_loss": "log-loss",
    "ece": "calibration error",
    "any_genre_accuracy": "any genre it was seen under",
    "verdict_accuracy": "against people's verdicts",
}
LABEL_POLICY_TITLES: Final = {
    "claim": "the genre a track ranks best under, a person's verdict before it",
    "exclusive": "that of tracks seen under one genre only, a person's verdict before it",
    "shared": "every genre a track was seen under, shared out",
}
WORST_GENRES_SHOWN: Final = 5
"""Genres that are named as the worst, of those with enough test tracks."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model, and the figures that stand for it; raise `ArtifactDropped` where only a line is left."""

    model: StoredModel
    parent: StoredModel | None
    """Of a refit: whose figures these are."""
    rows: Sequence[MetricRow]
    """Figures of the model; of a refit those of its parent."""
    origins: Mapping[str, int]
    """Who delivered the tracks that are in the database now."""
    command: str
    """What trains the same again."""

    def __post_init__(self) -> None:
        """Refuse what a line about a model cannot tell."""
        if self.model.is_archived:
            raise ArtifactDropped(
                f"Of model {self.model.id} a line is left (`classifier models` shows it): too "
                "little for a card. CLASSIFIER_MODELS_REMEMBERED says of how many models more is "
                "kept."
            )

    @property
    def evaluated_model(self) -> StoredModel:
        """Return the model that the figures are of."""
        return self.parent or self.model

    def as_json(self) -> dict[str, Any]:
        """Return the card as `card --json` shows it."""
        return {
            "model": self.model.as_json(),
            "figures_of": self.evaluated_model.id,
            "classes": list(self.model.classes),
            "columns": list(self.model.feature_schema["columns"]),
            "figures": {regime: self._figures(regime) for regime in REGIME_TITLES},
            "genres": {regime: self._genres(regime) for regime in REGIME_TITLES},
            "worst": {regime: self._worst(regime) for regime in REGIME_TITLES},
            "training_accuracy": self._one("train", "all", "accuracy"),
            "random_split_accuracy": self._one("random", "all", "accuracy"),
            "origins": dict(self.origins),
            "limits": list(self._limits()),
            "data_fingerprint": self.model.data_fingerprint,
            "artifact_sha256": self.model.artifact_sha256,
            "versions": dict(self.model.versions),
            "command": self.command,
            "terms": SPOTIFY_TERMS,
        }

    def as_markdown(self) -> str:
        """Return the card as Markdown."""
        parts = (
            self._about,
            self._data,
            self._folds,
            self._measured,
            self._by_genre,
            self._known_limits,
            self._again,
            self._terms,
        )
        lines = [line for part in parts for line in (*part(), "")]
        return "\n".join(lines)

    def _about(self) -> Iterator[str]:
        model = self.model
        yield f"# Model {model.id}: {model.estimator}"
        yield ""
        yield (
            f"Names the genre of a track, one of {len(model.classes)}, with a probability for "
            f"each. Task `{model.task}`, trained {model.created_at:%Y-%m-%d %H:%M} UTC in "
            f"{model.seconds:.0f} s. It is {model.status}: {model.reason or 'no reason given'}"
        )
        if self.parent is not None:
            yield ""
            yield (
                f"**It is a refit and has no figures of its own.** All figures below are of model "
                f"{self.parent.id}, its honest parent: the same recipe, learned from "
                f"{self.parent.trained_rows:,} tracks with the test tracks held out."
            )

    def _data(self) -> Iterator[str]:
        model, choice = self.model, self.model.training_config
        yield "## Data"
        yield ""
        columns = ", ".join(model.feature_schema["columns"])
        yield f"- Learned from {model.trained_rows:,} tracks; looks at: {columns}."
        yield f"- Labels: {LABEL_POLICY_TITLES.get(choice['labels'], choice['labels'])}."
        if choice.get("level") == "broad":
            mapping = choice["mapping"] or "that is the default"
            yield f"- Genres are broad ones, by the mapping {mapping}."
        yield f"- Genres with fewer than {choice['min_tracks']} tracks were left out."
        if choice["per_genre"] is not None:
            yield f"- At most {choice['per_genre']:,} tracks of each genre were learned from."
        if model.origin is not None:
            yield f"- The catalogue is invented ({model.origin}): none of this is real music."
        told = ", ".join(f"{origin} ({count:,})" for origin, count in self.origins.items())
        yield f"- Tracks in the database now, by who delivered them: {told or 'none'}."
        yield f"- Genres: {', '.join(model.classes)}."

    def _folds(self) -> Iterator[str]:
        yield "## How it was judged"
        yield ""
        yield (
            "Every artist and every track name has a fold for ever, by a hash of its text. *New "
            "artists*: no credited artist of the test track has any track that was learned from. "
            "*Artists it knows*: another track of a credited artist was. Nothing was chosen by "
            "these tracks. Intervals are 95% and resample artists, not tracks."
        )

    def _measured(self) -> Iterator[str]:
        found = {regime: self._figures(regime) for regime in REGIME_TITLES}
        yield "## Figures"
        yield ""
        yield f"| | {' | '.join(REGIME_TITLES.values())} |"
        yield "|---|---|---|"
        counts = [one["n"] for one in found.values()]
        yield f"| test tracks | {' | '.join(f'{n:,}' if n else 'none' for n in counts)} |"
        for metric, title in METRIC_TITLES.items():
            cells = [_cell(one["metrics"].get(metric)) for one in found.values()]
            if any(cells):
                yield f"| {title} | {' | '.join(cells)} |"
        trained, leaking = (self._one(side, "all", "accuracy") for side in ("train", "random"))
        yield ""
        if trained is not None:
            yield f"On tracks it learned from: {trained:.3f}."
        if leaking is not None:
            yield (
                f"A random 80/20 split of these rows, as usually published, would have said "
                f"{leaking:.3f}: artists, and their albums, stand on both of its sides."
            )

    def _by_genre(self) -> Iterator[str]:
        new, seen = (self._genres(regime) for regime in REGIME_TITLES)
        if not new and not seen:
            return
        yield "## By genre"
        yield ""
        yield f"| genre | F1, {' | F1, '.join(REGIME_TITLES.values())} |"
        yield "|---|---|---|"
        for genre in sorted(new.keys() | seen.keys()):
            yield f"| {genre} | {_cell(new.get(genre))} | {_cell(seen.get(genre))} |"
        for regime, title in REGIME_TITLES.items():
            worst = self._worst(regime)
            if worst:
                yield ""
                yield f"Worst for {title}: {', '.join(worst)}."

    def _known_limits(self) -> Iterator[str]:
        yield "## Known limits"
        yield ""
        for sentence in self._limits():
            yield f"- {sentence}"

    def _limits(self) -> Iterator[str]:
        new, seen = (self._one("test", regime, "accuracy") for regime in REGIME_TITLES)
        if new is not None and seen is not None and new < seen:
            yield (
                f"It is right for {new:.0%} of the tracks of artists it never met, against "
                f"{seen:.0%} of those it knows: expect the lower figure for new music."
            )
        yield (
            "Labels are what a catalogue answers when it is asked for a genre; people may see it "
            "otherwise, and a genre may have no sound of its own."
        )
        few = sorted(
            {
                genre
                for regime in REGIME_TITLES
                for genre, told in self._genres(regime).items()
                if told["n"] < FEW_TRACKS
            }
        )
        if few:
            names = ", ".join(few)
            yield f"Fewer than {FEW_TRACKS} test tracks in a regime, so little is known of: {names}."
        for regime, title in REGIME_TITLES.items():
            if not self._figures(regime)["n"]:
                yield f"There were no test tracks of {title}: nothing is known of these."
        yield "A track outside these genres is given one of them all the same."

    def _again(self) -> Iterator[str]:
        model = self.model
        yield "## To repeat it"
        yield ""
        yield f"    {self.command}"
        yield ""
        yield f"- Data: `{model.data_fingerprint}` (`classifier snapshot` freezes the rows)."
        if model.artifact_sha256 is not None:
            yield f"- Artifact: SHA-256 `{model.artifact_sha256}`."
        yield f"- Seed {model.training_config['seed']}; {_told(model.versions)}."

    def _terms(self) -> Iterator[str]:
        yield "## Terms"
        yield ""
        yield SPOTIFY_TERMS

    def _figures(self, regime: str) -> dict[str, Any]:
        found = {
            row.metric: _told_row(row)
            for row in self.rows
            if (row.side, row.regime, row.genre) == ("test", regime, None)
        }
        accuracy = found.get("accuracy")
        return {"n": 0 if accuracy is None else accuracy["n"], "metrics": found}

    def _genres(self, regime: str) -> dict[str, dict[str, Any]]:
        return {
            row.genre: _told_row(row)
            for row in self.rows
            if (row.side, row.regime, row.metric) == ("test", regime, "f1")
            and row.genre is not None
            and row.n > 0
        }

    def _worst(self, regime: str) -> list[str]:
        told = [
            (one["value"], genre)
            for genre, one in self._genres(regime).items()
            if one["n"] >= FEW_TRACKS and one["value"] is not None
        ]
        return [genre for _, genre in sorted(told)[:WORST_GENRES_SHOWN]]

    def _one(self, side: str, regime: str, metric: str) -> float | None:
        for row in self.rows:
            if (row.side, row.regime, row.genre, row.metric) == (side, regime, None, metric):
                return row.value
        return None


def _told_row(row: MetricRow) -> dict[str, Any]:
    interval = None if row.low is None or row.high is None else [row.low, row.high]
    return {"value": row.value, "interval": interval, "n": row.n}


def _cell(told: Mapping[str, Any] | None) -> str:
    if told is None or told["value"] is None:
        return ""
    interval = told["interval"]
    span = "" if interval is None else f" ({interval[0]:.3f} to {interval[1]:.3f})"
    few = f" *on {told['n']} tracks*" if told["n"] < FEW_TRACKS else ""
    return f"{told['value']:.3f}{span}{few}"


def _told(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items() if name != "code")
