"""Result of a run that fetches something for each track: features or analyses."""

from dataclasses import dataclass, field
from typing import Any

from collector.run_outcome import RunOutcome


@dataclass
class EnrichmentResult(RunOutcome):
    """What a run fetched from the providers; `blocked` is the ban that keeps tracks waiting."""

    requested: int = 0
    """Tracks requested, counted once per provider."""
    found: int = 0
    problems: list[str] = field(default_factory=list)
    """Why a provider was left before all its tracks were requested."""

    @property
    def not_found(self) -> int:
        """Requested tracks for which the provider has nothing usable."""
        return self.requested - self.found

    def counts(self) -> dict[str, int]:
        return {"asked": self.requested, "known": self.found, "unknown": self.not_found}

    def facts(self) -> dict[str, Any]:
        return {"stopped": self.stopped, "problems": list(self.problems)}

    def as_json(self) -> dict[str, Any]:
        return {
            **self.counts(),
            **self.facts(),
            "requests": self.requests,
            "blocked_until": self.blocked_until,
        }
