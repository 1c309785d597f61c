"""Early stopping of the networks: the best validation epoch of each branch is kept."""

from collections.abc import Callable
from typing import Any

import numpy as np
from skorch.callbacks import Callback
from torch import Tensor
from torch.nn import functional

from classifier.records import Epoch


class BestEpochs(Callback):  # type: ignore[misc]  # untyped there
    """Keeps the weights of each branch's best validation epoch."""

    def on_train_begin(self, _net: Any, **_more: Any) -> None:
        self.lowest: dict[str, float] = {}
        self.weights: dict[str, dict[str, Tensor]] = {}
        self.epochs_without_gain = 0

    def on_epoch_begin(self, _net: Any, **_more: Any) -> None:
        self.losses: dict[str, Any] = {}  # sums on the device, read once per epoch
        self.correct: Any = 0
        self.tracks = 0

    def on_batch_end(
        self, _net: Any, batch: Any = None, training: bool = False, **more: Any
    ) -> None:
        if training:
            return
        outputs = more["y_pred"]
        truth = batch[1].to(next(iter(outputs.values())).device)
        for name, logits in outputs.items():
            loss = functional.cross_entropy(logits.float(), truth, reduction="sum")
            self.losses[name] = self.losses.get(name, 0.0) + loss.double()
        pooled = sum(functional.log_softmax(one.float(), dim=1) for one in outputs.values())
        self.correct = self.correct + (pooled.argmax(dim=1) == truth).sum()
        self.tracks += len(truth)

    def on_epoch_end(self, net: Any, **_more: Any) -> None:
        if not self.tracks:
            return
        losses = {name: float(loss) for name, loss in self.losses.items()}
        mean = sum(losses.values()) / len(losses) / self.tracks
        net.history.record("validation_loss", mean)
        net.history.record("validation_accuracy", int(self.correct) / self.tracks)
        improved = [name for name, loss in losses.items() if loss < self.lowest.get(name, np.inf)]
        for name in improved:
            self.lowest[name] = losses[name]
            state = net.module_.branches[name].state_dict()
            self.weights[name] = {key: value.clone() for key, value in state.items()}
        self.epochs_without_gain = 0 if improved else self.epochs_without_gain + 1

    def on_train_end(self, net: Any, **_more: Any) -> None:
        for name, state in self.weights.items():
            net.module_.branches[name].load_state_dict(state)


class EarlyStopping(Callback):  # type: ignore[misc]  # untyped there
    """Records each epoch, and stops the training when no branch improves any more."""

    def __init__(
        self, best: BestEpochs, patience: int, listener: Callable[[Epoch], None] | None
    ) -> None:
        self.best = best
        self.patience = patience
        self.listener = listener
        self.epochs: list[Epoch] = []
        self.stopped = False

    def on_epoch_end(self, net: Any, **_more: Any) -> None:
        self.epochs.append(_epoch(net.history[-1], net.optimizer_.param_groups[0]["lr"]))
        if self.listener is not None:
            self.listener(self.epochs[-1])
        self.stopped = self.best.epochs_without_gain >= self.patience
        if self.stopped:
            raise KeyboardInterrupt  # how skorch's own early stopping ends the loop


def _epoch(row: Any, learning_rate: float) -> Epoch:
    return Epoch(
        epoch=int(row["epoch"]),
        train_loss=float(row["train_loss"]),
        validation_loss=row.get("validation_loss"),
        validation_accuracy=row.get("validation_accuracy"),
        learning_rate=learning_rate,
        seconds=float(row["dur"]),
    )
