"""Command-line options as metadata of dataclass fields, and the parsing of their values."""

import csv
import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from io import StringIO
from typing import Any

from classifier.errors import BadParameter, BadTrainingConfig


@dataclass(frozen=True, slots=True)
class Option:
    """The command-line option of a field."""

    help: str
    name: str | None = None
    """Without dashes; None: the field's name."""
    values: tuple[str, ...] = ()
    """All that are allowed; empty: any."""
    parse: Callable[[Any], Any] = lambda value: value
    type: Any = str
    minimum: int | None = None
    maximum: int | None = None


def option(default: Any, text: str, **how: Any) -> Any:
    """Return a dataclass field with this default and command-line option."""
    return field(default=default, metadata={"option": Option(text, **how)})


def parse_list(text: str) -> list[str]:
    """Return the parts of a comma-separated list, each once; double quotes protect a comma."""
    parts = [part.strip() for part in next(csv.reader([text], skipinitialspace=True), [])]
    return list(dict.fromkeys(part for part in parts if part))


def join_list(parts: Iterable[str]) -> str:
    """Return the text that `parse_list` reads as these parts."""
    text = StringIO()
    csv.writer(text, lineterminator="").writerow(parts)
    return text.getvalue()


def parse_parameter(text: str, option: str = "--param") -> tuple[str, Any]:
    """Return name and value of `name=value`; the value is JSON where it parses as JSON.

    The message of `BadParameter` names `option`.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise BadParameter(f"{text!r} has no value: write {option} name=value.")
    return name.strip(), _parse_value(value.strip())


def _parse_value(text: str) -> Any:
    words = {"none": None, "true": True, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    try:
        value = json.loads(text)
    except ValueError:
        return text
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        raise BadParameter(f"{text} is no finite number: write another value.") from None
    return value


def parse_components(text: str) -> int | float:
    """Return the value of `--pca`: a number of components or a share of the variance."""
    if text.isdecimal() and int(text) > 0:
        return int(text)
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise BadTrainingConfig(
            f"--pca is a number of components, or a share below 1: not {text!r}."
        )
    return share


def check_value(what: str, value: str, values: Collection[str], purpose: str = "") -> None:
    """Raise `BadTrainingConfig` for a value that is not among `values`; it names the `purpose`."""
    if value not in values:
        known = ", ".join(values)
        raise BadTrainingConfig(f"There is no {what} {value!r}{purpose}. Known: {known}.")


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return the most similar of `names` as a question after a sentence; empty without one."""
    folded = {one.casefold(): one for one in names}
    near = get_close_matches(name.casefold(), folded, n=1)
    return f" Did you mean {folded[near[0]]!r}?" if near else ""
