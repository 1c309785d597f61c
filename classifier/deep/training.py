"""Learning by epochs: skorch's loop, what we ask of it, and what it leaves behind."""

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
from classifier.records import Epoch

WARMUP: Final = 0.1
"""Share of all steps in which the rate rises to its height, before it falls to 0."""

OPTIMISERS: Final = {
    "adamw": torch.optim.AdamW,
    "sgd": partial(torch.optim.SGD, momentum=0.9, nesterov=True),
}


@dataclass(frozen=True)
class FitConfig:
    """How to learn."""

    epochs: int
    patience: int
    """Epochs without any tower's improvement on the validation tracks after which it ends."""
    batch_size: int
    learning_rate: float
    weight_decay: float
    optimiser: str
    schedule: str
    """`cosine`: up and down again; `constant`."""
    label_smoothing: float
    """Share of certainty that is spread over all genres (Szegedy et al., CVPR 2016)."""
    class_weights: NDArray[np.float32] | None
    text_branches: tuple[str, ...]
    """Towers whose examples weigh as `weights` says."""


class _Best(Callback):  # type: ignore[misc]  # untyped there
    """Keeps each tower as it was when it told the validation tracks best."""

    def __init__(self, patience: int) -> None:
        self.patience = patience

    def on_train_begin(self, _net: Any, **_more: Any) -> None:
        self.least: dict[str, float] = {}
        self.kept: dict[str, dict[str, Tensor]] = {}
        self.waited = 0

    def on_epoch_begin(self, _net: Any, **_more: Any) -> None:
        self.losses: dict[str, float] = {}
        self.right, self.tracks = 0, 0

    def on_batch_end(
        self, _net: Any, batch: Any = None, training: bool = False, **more: Any
    ) -> None:
        if training:
            return
        said, truth = more["y_pred"], batch[1].to(next(iter(more["y_pred"].values())).device)
        for name, logits in said.items():
            loss = functional.cross_entropy(logits.float(), truth, reduction="sum")
            self.losses[name] = self.losses.get(name, 0.0) + float(loss)
        together = sum(functional.log_softmax(one.float(), dim=1) for one in said.values())
        self.right += int((together.argmax(dim=1) == truth).sum())
        self.tracks += len(truth)

    def on_epoch_end(self, net: Any, **_more: Any) -> None:
        if not self.tracks:
            return
        mean = sum(self.losses.values()) / len(self.losses) / self.tracks
        net.history.record("told_loss", mean)
        net.history.record("told_accuracy", self.right / self.tracks)
        better = [
            name for name, loss in self.losses.items() if loss < self.least.get(name, np.inf)
        ]
        for name in better:
            self.least[name] = self.losses[name]
            held = net.module_.branches[name].state_dict()
            self.kept[name] = {key: value.clone() for key, value in held.items()}
        self.waited = 0 if better else self.waited + 1

    def on_train_end(self, net: Any, **_more: Any) -> None:
        for name, held in self.kept.items():
            net.module_.branches[name].load_state_dict(held)


class _Ending(Callback):  # type: ignore[misc]  # untyped there
    """Tells of each epoch, and ends the learning when nothing gets better."""

    def __init__(self, best: _Best, tell: Callable[[Epoch], None]) -> None:
        self.best = best
        self.tell = tell
        self.ended = False

    def on_epoch_end(self, net: Any, **_more: Any) -> None:
        self.tell(_epoch(net.history[-1], net.optimizer_.param_groups[0]["lr"]))
        self.ended = self.best.waited >= self.best.patience
        if self.ended:
            raise KeyboardInterrupt  # how skorch's own early stopping ends the loop


class _Net(NeuralNet):  # type: ignore[misc]  # untyped there
    """The mean of the towers' losses; on CUDA in mixed precision."""

    def __init__(self, module: nn.Module, *, plan: FitConfig, **more: Any) -> None:
        self.plan = plan
        super().__init__(module, nn.CrossEntropyLoss, **more)

    def infer(self, x: Any, **_more: Any) -> Any:
        moved = {name: value.to(self.device) for name, value in x.items()}
        with torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
            return self.module_(**moved)

    def get_loss(self, y_pred: Any, y_true: Any, X: Any = None, **_more: Any) -> Tensor:
        truth = y_true.to(self.device)
        losses = [self._loss(name, said, truth, X) for name, said in y_pred.items()]
        return torch.stack(losses).mean()

    def _loss(self, name: str, said: Tensor, truth: Tensor, inputs: Any) -> Tensor:
        plan = self.plan
        weights = plan.class_weights
        each = functional.cross_entropy(
            said.float(),
            truth,
            weight=None if weights is None else torch.from_numpy(weights).to(said.device),
            label_smoothing=plan.label_smoothing,
            reduction="none",
        )
        if name in plan.text_branches:
            each = each * inputs["weights"].to(said.device)
        return each.mean()


def fit(
    module: nn.Module,
    tracks: TrackDataset,
    validation: TrackDataset | None,
    plan: FitConfig,
    tell: Callable[[Epoch], None],
) -> list[Epoch]:
    """Let the module learn where it is; return what each epoch came to."""
    told: list[Epoch] = []

    def both(epoch: Epoch) -> None:
        told.append(epoch)
        tell(epoch)

    best = _Best(plan.patience)
    ending = _Ending(best, both)
    steps = len(BatchIterator(tracks, plan.batch_size))
    net = _Net(
        module,
        plan=plan,
        optimizer=OPTIMISERS[plan.optimiser],
        lr=plan.learning_rate,
        optimizer__weight_decay=plan.weight_decay,
        max_epochs=plan.epochs,
        iterator_train=BatchIterator,
        iterator_train__shuffle=True,
        iterator_train__batch_size=plan.batch_size,
        iterator_valid=BatchIterator,
        iterator_valid__batch_size=tracks.prediction_batch_size,
        train_split=None if validation is None else predefined_split(validation),
        callbacks=[("best", best), *_scheduled(plan, steps), ("ending", ending)],
        callbacks__print_log=None,
        device=device(),
        verbose=0,
    )
    net.fit(tracks)
    if len(told) < plan.epochs and not ending.ended:
        raise KeyboardInterrupt  # somebody's, that skorch swallowed
    module.to("cpu").eval()
    return told


def predict(module: nn.Module, tracks: TrackDataset) -> dict[str, NDArray[np.float32]]:
    """Return what each tower says of each track, as log-probabilities."""
    module.eval()
    said: dict[str, list[NDArray[np.float32]]] = {}
    with torch.inference_mode():
        for inputs, _ in BatchIterator(tracks, tracks.prediction_batch_size):
            for name, logits in module(**inputs).items():
                told = functional.log_softmax(logits.float(), dim=1)
                said.setdefault(name, []).append(told.numpy())
    return {name: np.concatenate(parts) for name, parts in said.items()}


def device() -> str:
    """Return where to compute."""
    return "cuda" if torch.cuda.is_available() else "cpu"


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw from a generator of our own, and compute with one thread: the same to the last digit.

    Sums of several threads come in another order, and the last digit of a weight is enough for
    two trainings to part ways.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def _scheduled(plan: FitConfig, steps: int) -> list[tuple[str, Any]]:
    if plan.schedule == "constant":
        return []
    total = plan.epochs * steps

    def factor(step: int) -> float:
        part = min(1.0, (step + 1) / total)
        return float(min(1.0, part / WARMUP) * 0.5 * (1 + np.cos(np.pi * part)))

    policy = torch.optim.lr_scheduler.LambdaLR
    return [("schedule", LRScheduler(policy, lr_lambda=factor, step_every="batch"))]


def _epoch(row: Any, rate: float) -> Epoch:
    return Epoch(
        epoch=int(row["epoch"]),
        train_loss=float(row["train_loss"]),
        validation_loss=row.get("told_loss"),
        validation_accuracy=row.get("told_accuracy"),
        learning_rate=rate,
        seconds=float(row["dur"]),
    )
