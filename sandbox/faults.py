"""Which answers are broken, and how: drawn by a seed, whatever the answer is. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any, Final


class Fault(StrEnum):
    """A way in which an answer is broken."""

    SERVER_ERROR = "500"
    UNAVAILABLE = "503"
    """An HTML page."""
    TRUNCATED = "truncated"
    """JSON that ends half-way."""
    DROPPED = "dropped"
    """The connection ends half-way through the answer."""
    SLOW = "slow"
    SHORT = "short"
    """Fewer items than there are; the rest follows at offset + items received."""
    TOTAL = "total"
    """Another `total` than there is."""
    NEXT = "next"
    """`next` is null although there is more."""
    REPEATED = "repeated"
    """One item twice, in addition to the page's own."""


FAULTS_OF_ANY_RESPONSE: Final = (
    Fault.SERVER_ERROR,
    Fault.UNAVAILABLE,
    Fault.TRUNCATED,
    Fault.DROPPED,
    Fault.SLOW,
)
SLOW_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """How many answers are broken, and in which ways."""

    share: float
    """Of all answers, 0..1."""
    shares: Mapping[Fault, float] = field(default_factory=dict)
    """Of each kind, together `share`; empty: all kinds that an answer can have, evenly."""
    seed: int = 1
    slow_seconds: float = SLOW_SECONDS
    """How much later a slow answer comes."""

    def random_for(self, number: int) -> Random:
        """Return what decides over the answer of that number: the same seed, the same faults."""
        return Random(f"fault {self.seed} {number}")

    def choose(self, draw: Random, possible: Sequence[Fault]) -> Fault | None:
        """Return how an answer is broken that the draw `is_faulty`; None where it cannot be so."""
        if not self.shares:
            return draw.choice(possible)
        kinds = list(self.shares)
        chosen = draw.choices(kinds, [self.shares[kind] for kind in kinds])[0]
        return chosen if chosen in possible else None

    def is_faulty(self, draw: Random) -> bool:
        """Tell whether the answer is to be broken."""
        return draw.random() < self.share


def parse_faults(text: str, seed: int = 1, slow_seconds: float = SLOW_SECONDS) -> FaultPlan:
    """Read `0.1`, or shares by kind, `500=0.05,short=0.1`; raise ValueError with a sentence."""
    if "=" not in text:
        return FaultPlan(_share(text), {}, seed, slow_seconds)
    shares: dict[Fault, float] = {}
    for part in text.split(","):
        name, _, share = part.partition("=")
        kind = _kind(name.strip())
        shares[kind] = _share(share)
    together = sum(shares.values())
    if together > 1:
        raise ValueError(f"the shares in {text!r} are more than 1 together")
    return FaultPlan(together, shares, seed, slow_seconds)


def possible_faults(page: Mapping[str, Any] | None) -> Sequence[Fault]:
    """Return the ways in which an answer with `page` in it can be broken without hiding a row."""
    if page is None:
        return FAULTS_OF_ANY_RESPONSE
    here = {
        Fault.SHORT: len(page["items"]) > 1,
        Fault.TOTAL: True,
        Fault.NEXT: page["next"] is not None,
        Fault.REPEATED: bool(page["items"]),
    }
    return (*FAULTS_OF_ANY_RESPONSE, *(fault for fault, can_be in here.items() if can_be))


def _kind(text: str) -> Fault:
    try:
        return Fault(text)
    except ValueError:
        known = ", ".join(Fault)
        raise ValueError(f"{text!r} is no kind of fault: there are {known}") from None


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ValueError(f"{text.strip()!r} is not a share: give a number from 0 to 1")
    return share
