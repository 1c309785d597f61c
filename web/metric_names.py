"""What the metrics of models mean, in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class MetricName:
    """A metric for people."""

    title: str
    meaning: str
    better: str
    """`higher` or `lower`; empty where neither is better."""


METRIC_NAMES: Final[Mapping[str, MetricName]] = {
    "accuracy": MetricName(
        "accuracy", "Share of the tracks whose most probable genre is their label.", "higher"
    ),
    "baseline": MetricName(
        "majority baseline",
        "The accuracy of always predicting the genre with the most training tracks. A model that "
        "is not clearly better has learned nothing.",
        "",
    ),
    "top3": MetricName(
        "top-3 accuracy",
        "Share of the tracks whose label is among the three most probable genres.",
        "higher",
    ),
    "log_loss": MetricName(
        "log loss",
        "Mean of minus the natural logarithm of the label's probability. 0 is perfect; guessing "
        "among N genres gives ln N, 2.3 for ten. Being confidently wrong costs the most.",
        "lower",
    ),
    "ece": MetricName(
        "expected calibration error",
        "How far the stated probability of the prediction is from the share that is right, on "
        "average over 15 bins. At 0.05 a prediction with 80 % is right in 75 to 85 % of cases.",
        "lower",
    ),
    "ece_by_chance": MetricName(
        "expected calibration error by chance",
        "The calibration error that a perfectly calibrated model would have on these tracks on "
        "average, because the accuracy of few artists differs from the confidence by chance.",
        "",
    ),
    "macro_f1": MetricName(
        "macro F1",
        "Mean of the genres' F1: each genre counts the same, however few tracks it has.",
        "higher",
    ),
    "macro_precision": MetricName(
        "macro precision", "Mean of the genres' precision, each genre counting the same.", "higher"
    ),
    "macro_recall": MetricName(
        "macro recall",
        "Mean of the genres' recall, each genre counting the same; also called balanced accuracy.",
        "higher",
    ),
    "weighted_f1": MetricName(
        "weighted F1", "Mean of the genres' F1, weighted by their tracks.", "higher"
    ),
    "weighted_precision": MetricName(
        "weighted precision", "Mean of the genres' precision, weighted by their tracks.", "higher"
    ),
    "weighted_recall": MetricName(
        "weighted recall",
        "Mean of the genres' recall, weighted by their tracks: equal to the accuracy.",
        "higher",
    ),
    "precision": MetricName(
        "precision", "Share of the tracks predicted as the genre that have its label.", "higher"
    ),
    "recall": MetricName(
        "recall", "Share of the tracks with the genre's label that are predicted as it.", "higher"
    ),
    "f1": MetricName(
        "F1", "The harmonic mean of precision and recall: high only if both are.", "higher"
    ),
    "roc_auc": MetricName(
        "ROC AUC",
        "Probability that a track of the genre gets a higher probability for it than a track of "
        "another genre. 0.5 is chance. Over all genres: the mean.",
        "higher",
    ),
    "average_precision": MetricName(
        "average precision",
        "Area under the curve of precision over recall of a genre; over all genres: the mean.",
        "higher",
    ),
    "any_genre_accuracy": MetricName(
        "multi-label accuracy",
        "Share of the tracks whose prediction is any genre that a source gave them.",
        "higher",
    ),
    "verdict_accuracy": MetricName(
        "accuracy against people's labels",
        "The accuracy on the tracks that a person has labelled.",
        "higher",
    ),
    "several_genres_accuracy": MetricName(
        "accuracy on tracks of several genres",
        "The accuracy on the tracks that sources gave several genres of the model.",
        "higher",
    ),
    "several_genres_any_accuracy": MetricName(
        "any-hit accuracy on tracks of several genres",
        "Share of these tracks whose prediction is any of their genres.",
        "higher",
    ),
    "several_genres_ranking": MetricName(
        "label ranking average precision",
        "On the tracks of several genres: how far all of their genres are at the top of the "
        "predictions. 1: nothing is above them.",
        "higher",
    ),
    **{
        f"accuracy_with_{number}_siblings": MetricName(
            f"accuracy with {number or 'no'} other tracks of the artist",
            "The accuracy on unseen artists if a prediction also uses so many unlabelled tracks "
            "of the artist.",
            "higher",
        )
        for number in (0, 1, 3, 10)
    },
    **{
        f"tracks_with_{number}_siblings": MetricName(
            f"tracks with {number} other tracks of the artist",
            "Share of the test tracks whose artist has so many other tracks.",
            "",
        )
        for number in (1, 3, 10)
    },
    "accuracy_gain": MetricName(
        "gain by other tracks of the artist",
        "Accuracy with all other tracks of the artist, minus that of the track alone.",
        "higher",
    ),
    "siblings_per_track": MetricName(
        "other tracks of the artist", "How many a test track has on average.", ""
    ),
    "siblings_seen_under_own_genre": MetricName(
        "other tracks found under the same genre",
        "Share of the artist's other tracks that are stored because a search for the track's own "
        "genre found them: they are no independent evidence.",
        "",
    ),
    "accuracy_with_siblings_seen_elsewhere": MetricName(
        "accuracy with tracks found elsewhere",
        "The accuracy if only those other tracks of the artist are used that were found under "
        "other genres: a lower bracket.",
        "higher",
    ),
    "accuracy_with_siblings_labels": MetricName(
        "accuracy with the other tracks' labels",
        "The accuracy if the labels of the artist's other tracks were known: an upper bracket.",
        "higher",
    ),
    "broad_accuracy": MetricName(
        "broad accuracy",
        "Share of the predictions within the right broad genre, by the model's mapping.",
        "higher",
    ),
    "misses_inside": MetricName(
        "misses inside the broad genre",
        "Share of the wrong predictions that are at least within the right broad genre.",
        "",
    ),
}
"""Every metric of the view `model_metrics`."""


def title_of_metric(name: str) -> str:
    """Return a metric's title; an unknown name as words."""
    metric = METRIC_NAMES.get(name)
    return metric.title if metric else name.replace("_", " ")
