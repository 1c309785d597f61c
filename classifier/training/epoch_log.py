"""The epochs of estimators that are trained in epochs: recorded, and reported as progress."""

from classifier.model_records import Epoch
from classifier.ports import Estimator, ReportsEpochs
from genrebase.progress import MessageCallback


def record_epochs(estimator: Estimator, log: MessageCallback) -> list[Epoch]:
    """Return a list that receives, and log, every epoch of the estimator's next `fit`."""
    epochs: list[Epoch] = []

    def record(epoch: Epoch) -> None:
        epochs.append(epoch)
        accuracy = epoch.validation_accuracy
        validation = "" if accuracy is None else f", validation accuracy {accuracy:.3f}"
        log(f"epoch {epoch.epoch}: loss {epoch.train_loss:.3f}{validation}")

    if isinstance(estimator, ReportsEpochs):
        estimator.on_epoch(record)
    return epochs
