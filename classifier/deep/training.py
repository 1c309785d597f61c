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
from skorch.callbacks import LRScheduler
from skorch.helper import predefined_split
from torch import Tensor, nn
from torch.nn import functional

from classifier.deep.batches import BatchIterator, TrackDataset
from classifier.deep.early_stopping import BestEpochs, EarlyStopping
from classifier.features.groups import TEXT
from classifier.records import Epoch

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
