"""Training loop of the networks: skorch, early stopping, learning rate schedule, prediction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.callbacks import Callback, LRScheduler
from skorch.helper import predefined_split
from torch import Tensor, nn
from torch.nn import functional

from classifier.deep.batches import BatchIterator, TrackDataset
from classifier.features.groups import TEXT
from classifier.model_records import Epoch

WARMUP: Final = 0.1
"""Share of all steps in which the learning rate rises to its maximum, before it falls to 0."""

OPTIMISERS: Final = {
    "adamw": torch.optim.AdamW,
    "sgd": partial(torch.optim.SGD, momentum=0.9, nesterov=True),
}


def device() -> str:
    """Return the device that networks are trained on: `cuda` where there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


@dataclass(frozen=True)
class FitConfig:
    """The hyper-parameters of a training."""

    epochs: int
    patience: int
    """Epochs in which no branch improves on the validation tracks before training stops."""
    batch_size: int
    learning_rate: float
    weight_decay: float
    optimiser: str
    schedule: str
    """`cosine`: warm-up, then cosine annealing; `constant`."""
    label_smoothing: float
    """Share of the target probability spread over all genres (Szegedy et al., CVPR 2016)."""
    class_weights: NDArray[np.float32] | None


class _Net(NeuralNet):  # type: ignore[misc]  # untyped there
    """Minimises the mean of the branches' losses; on CUDA in mixed precision."""

    def __init__(self, module: nn.Module, *, config: FitConfig, **more: Any) -> None:
        self.config = config
        super().__init__(module, nn.CrossEntropyLoss, **more)

    def infer(self, x: Any, **_more: Any) -> Any:
        inputs = {name: value.to(self.device) for name, value in x.items()}
        with torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
            return self.module_(**inputs)

    def get_loss(self, y_pred: Any, y_true: Any, X: Any = None, **_more: Any) -> Tensor:
        truth = y_true.to(self.device)
        losses = [self._loss(name, logits, truth, X) for name, logits in y_pred.items()]
        return torch.stack(losses).mean()

    def _loss(self, name: str, logits: Tensor, truth: Tensor, inputs: Any) -> Tensor:
        config = self.config
        weights = config.class_weights
        losses = functional.cross_entropy(
            logits.float(),
            truth,
            weight=None if weights is None else torch.from_numpy(weights).to(logits.device),
            label_smoothing=config.label_smoothing,
            reduction="none",
        )
        if name in TEXT:  # its examples count by their weights
            losses = losses * inputs["weights"].to(logits.device)
        return losses.mean()


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


def fit(
    module: nn.Module,
    tracks: TrackDataset,
    validation: TrackDataset | None,
    config: FitConfig,
    listener: Callable[[Epoch], None] | None,
) -> list[Epoch]:
    """Train the module in place; return the metrics of each epoch."""
    where = device()
    tracks = tracks.to(where)
    validation = None if validation is None else validation.to(where)
    best = BestEpochs()
    stopping = EarlyStopping(best, config.patience, listener)
    steps = len(BatchIterator(tracks, config.batch_size))
    net = _Net(
        module,
        config=config,
        optimizer=OPTIMISERS[config.optimiser],
        lr=config.learning_rate,
        optimizer__weight_decay=config.weight_decay,
        optimizer__fused=where == "cuda",  # one kernel for all weights of a step
        max_epochs=config.epochs,
        iterator_train=BatchIterator,
        iterator_train__shuffle=True,
        iterator_train__batch_size=config.batch_size,
        iterator_valid=BatchIterator,
        iterator_valid__batch_size=tracks.prediction_batch_size,
        train_split=None if validation is None else predefined_split(validation),
        callbacks=[("best", best), *_schedule(config, steps), ("stopping", stopping)],
        callbacks__print_log=None,
        device=where,
        verbose=0,
    )
    net.fit(tracks)
    if len(stopping.epochs) < config.epochs and not stopping.stopped:
        raise KeyboardInterrupt  # a user's, that skorch swallowed
    module.to("cpu").eval()
    return stopping.epochs


def predict(module: nn.Module, tracks: TrackDataset) -> dict[str, NDArray[np.float32]]:
    """Return the log-probabilities (tracks, genres) of each branch."""
    module.eval()
    outputs: dict[str, list[NDArray[np.float32]]] = {}
    with torch.inference_mode():
        for inputs, _ in BatchIterator(tracks, tracks.prediction_batch_size):
            for name, logits in module(**inputs).items():
                logs = functional.log_softmax(logits.float(), dim=1)
                outputs.setdefault(name, []).append(logs.numpy())
    return {name: np.concatenate(parts) for name, parts in outputs.items()}


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Use a random generator of our own and one thread: the same numbers to the last digit.

    Several threads add up in another order, and the last digit of a weight is enough for two
    trainings to diverge.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def _schedule(config: FitConfig, steps: int) -> list[tuple[str, Any]]:
    if config.schedule == "constant":
        return []
    total = config.epochs * steps

    def factor(step: int) -> float:
        share = min(1.0, (step + 1) / total)
        return float(min(1.0, share / WARMUP) * 0.5 * (1 + np.cos(np.pi * share)))

    policy = torch.optim.lr_scheduler.LambdaLR
    return [("schedule", LRScheduler(policy, lr_lambda=factor, step_every="batch"))]
