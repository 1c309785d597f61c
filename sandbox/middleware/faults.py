"""Fault injection: a seed decides which responses are broken, and how. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Final


class Fault(StrEnum):
    """A way in which a response is broken."""

    SERVER_ERROR = "500"
    UNAVAILABLE = "503"
    """An HTML page."""
    TRUNCATED = "truncated"
    """JSON that ends half-way."""
    DROPPED = "dropped"
    """The connection ends half-way through the response."""
    SLOW = "slow"
    SHORT = "short"
    """Fewer items than there are; the rest follows at offset + items received."""
    TOTAL = "total"
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
    """How many responses are broken, and in which ways."""

    share: float
    """Of all responses, 0..1."""
    shares: Mapping[Fault, float] = field(default_factory=dict)
    """Per kind, `share` in total; empty: all kinds possible for a response, uniformly."""
    seed: int = 1
    slow_seconds: float = SLOW_SECONDS
    """Delay of a slow response."""

    def random_for(self, number: int) -> Random:
        """Return the random generator of a response: the same seed gives the same faults."""
        return Random(f"fault {self.seed} {number}")

    def is_faulty(self, random: Random) -> bool:
        """Draw whether the response is broken."""
        return random.random() < self.share

    def choose(self, random: Random, possible: Sequence[Fault]) -> Fault | None:
        """Draw how a faulty response is broken; None where that fault is not possible in it."""
        if not self.shares:
            return random.choice(possible)
        chosen = random.choices(list(self.shares), list(self.shares.values()))[0]
        return chosen if chosen in possible else None


def parse_faults(text: str, seed: int = 1, slow_seconds: float = SLOW_SECONDS) -> FaultPlan:
    """Parse `0.1`, or shares by kind, `500=0.05,short=0.1`; raise ValueError with a sentence."""
    if "=" not in text:
        return FaultPlan(_share(text), {}, seed, slow_seconds)
    shares: dict[Fault, float] = {}
    for part in text.split(","):
        name, _, share = part.partition("=")
        kind = _kind(name.strip())
        shares[kind] = _share(share)
    total = sum(shares.values())
    if total > 1:
        raise ValueError(f"the shares in {text!r} are more than 1 together")
    return FaultPlan(total, shares, seed, slow_seconds)


def _kind(text: str) -> Fault:
    try:
        return Fault(text)
    except ValueError:
        kinds = ", ".join(Fault)
        raise ValueError(f"{text!r} is no kind of fault: there are {kinds}") from None


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ValueError(f"{text.strip()!r} is not a share: give a number from 0 to 1")
    return share
