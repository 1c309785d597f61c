"""How models that learn by epochs came to be what they are."""

from typing import Any

from sqlalchemy import Select, select

from genrebase.store import tables
from genrebase.store.views.definition import Providers, view


def _training_epochs(_providers: Providers) -> Select[Any]:
    model, epoch = tables.model, tables.training_epoch
    return select(
        epoch.c.model_id,
        model.c.task,
        model.c.status,
        model.c.estimator,
        epoch.c.epoch,
        epoch.c.train_loss,
        epoch.c.validation_loss,
        epoch.c.validation_accuracy,
        epoch.c.learning_rate,
        epoch.c.seconds,
    ).select_from(epoch.join(model, model.c.id == epoch.c.model_id))


training_epochs = view(
    "training_epochs",
    "One row per epoch of each model that learns by epochs (mlp, cnn).",
    {
        "model_id": "The model's number.",
        "task": "The question it answers.",
        "status": "What became of it.",
        "estimator": "What learned.",
        "epoch": "Passes over the training tracks, from 1.",
        "train_loss": "Log-loss in nats on the training tracks while learning: the mean of its "
        "networks, with dropout and smoothing.",
        "validation_loss": "The mean of its networks on the validation tracks, as they are.",
        "validation_accuracy": "Share of the validation tracks they get right together.",
        "learning_rate": "At the epoch's end.",
        "seconds": "How long it took.",
    },
    _training_epochs,
)
