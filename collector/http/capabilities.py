"""What a credential may do, as learned by asking; asked again after a week. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Self

RECHECK_AFTER_SECONDS: Final = 7 * 86_400.0
"""Seconds for which a refusal is remembered."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What was learned, each with the moment (seconds since 1970)."""

    refused_limits: Mapping[str, float] = field(default_factory=dict)
    """Page limits that were refused."""
    closed: Mapping[str, float] = field(default_factory=dict)
    """Endpoints that are closed."""
    bans: int = 0
    """Bans since the source last answered well."""

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Read what `to_json` made; what is not there was not learned."""
        known = document if isinstance(document, dict) else {}
        return cls(
            refused_limits=known.get("refused_limits") or {},
            closed=known.get("closed") or {},
            bans=known.get("bans") or 0,
        )

    def to_json(self) -> dict[str, Any]:
        """Return a JSON document of it."""
        return asdict(self)

    def page_limit(self, limits: Sequence[int], now: float) -> int:
        """Return the largest of `limits` (descending) that was not refused lately."""
        for limit in limits:
            if not _lately(self.refused_limits.get(str(limit)), now):
                return limit
        return limits[-1]

    def is_closed(self, endpoint: str, now: float) -> bool:
        """Say whether `endpoint` was found closed lately."""
        return _lately(self.closed.get(endpoint), now)

    def with_refused_limit(self, limit: int, now: float) -> Self:
        """Remember that pages of `limit` are refused."""
        return replace(self, refused_limits={**self.refused_limits, str(limit): now})

    def with_closed_endpoint(self, endpoint: str, now: float) -> Self:
        """Remember that `endpoint` is closed."""
        return replace(self, closed={**self.closed, endpoint: now})

    def with_ban(self) -> Self:
        """Count one more ban."""
        return replace(self, bans=self.bans + 1)

    def without_bans(self) -> Self:
        """Forget the bans: the source answers again."""
        return replace(self, bans=0)


def _lately(moment: float | None, now: float) -> bool:
    return moment is not None and now - moment < RECHECK_AFTER_SECONDS
