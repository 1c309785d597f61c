"""The command line that asks for the same again."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from classifier.records import DEFAULT_TASK, TrainingConfig


def config_args(choice: TrainingConfig) -> Iterator[str]:
    """Yield the options that a choice differs by from what it would be without any."""
    default = TrainingConfig()
    if choice.task != DEFAULT_TASK:
        yield from ("--task", choice.task)
    for name in ("genres", "exclude", "features"):
        told = getattr(choice, name)
        if told != getattr(default, name):
            quoted = (f'"{one}"' if "," in one else one for one in told)
            yield from (f"--{name}", ",".join(quoted))
    for name in ("descriptors", "labels", "mapping", "level", "unmapped", "within", "split"):
        if getattr(choice, name) != getattr(default, name):
            yield from (f"--{name}", getattr(choice, name))
    for name in ("per_genre", "min_tracks", "seed"):
        if getattr(choice, name) != getattr(default, name):
            yield from (f"--{name.replace('_', '-')}", str(getattr(choice, name)))
    for name, value in choice.preparation.as_json().items():
        yield from (f"--{'pca' if name == 'components' else name}", str(value))


def param_args(params: Mapping[str, Any]) -> Iterator[str]:
    for name, value in params.items():
        told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield from ("--param", f"{name}={told}")
