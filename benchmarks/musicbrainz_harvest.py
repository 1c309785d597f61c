"""Requests of a harvest from the sandbox's MusicBrainz, and how long they take at its rate limit.

    python -m benchmarks.musicbrainz_harvest [--genres N] [--target N] [--faults SHARE] [--oracle]

The harvest is `collector harvest`'s own, over HTTP, on a clock that only sleeping moves: it takes
minutes, and reports the hours it would take. Half of the genres stand alone; the others are
families such as `g3`, `indie g3`, `slow g3`: a search for the first one returns all of them. Each
genre has two tracks per wanted one, a fifth of them also in another genre. One JSON line.

`pages` are the recorded pages, `requests` all requests, `another_genre` the items of the pages
that lack the requested tag. `oracle` is the number of pages of an oracle that has read all pages
before and chooses the best ones.
"""

import argparse
import json
import logging
import tempfile
from pathlib import Path

import structlog

from genrebase.runtime.clock import SystemClock
from genrebase.store import schema_upgrade
from genrebase.store.engine import make_engine
from tests.fakes import FakeClock
from tests.musicbrainz_harvests import (
    FAULT_SHARE,
    harvest,
    make_catalogue,
    oracle,
    pages_recorded,
    prepare,
    served,
    tracks_per_genre,
)

VARIANTS = ("{}", "indie {}", "slow {}", "dark {}", "{} revival")


def genre_names(n: int) -> list[str]:
    """Return so many genres: half of them in families of five, the others of one word each."""
    families = n // 2 // len(VARIANTS)
    named = [variant.format(f"g{family}") for family in range(families) for variant in VARIANTS]
    return [*named, *(f"single{number}" for number in range(n - len(named)))]


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.musicbrainz_harvest")
    parser.add_argument("--genres", type=int, default=100)
    parser.add_argument("--target", type=int, default=1_000)
    parser.add_argument("--faults", type=float, default=FAULT_SHARE)
    parser.add_argument("--oracle", action="store_true")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.disable(logging.CRITICAL)
    names = genre_names(options.genres)
    catalogue = make_catalogue(2 * options.target, names)
    clock, real = FakeClock(SystemClock().now()), SystemClock()
    begun = real.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'harvest.db'}"
        schema_upgrade.upgrade(url)
        engine = make_engine(url)
        prepare(engine, clock, options.target, names)
        with served(catalogue, clock, options.faults) as running:
            outcome = harvest(engine, running.url, clock)
            stats = running.stats()
        service, had = stats["apis"]["musicbrainz"], tracks_per_genre(engine)
        report = {
            "genres": len(names),
            "target": options.target,
            "short": sum(tracks < options.target for tracks in had.values()),
            "stopped": outcome.stopped,
            "requests": service["requests"],
            "pages": pages_recorded(engine),
            "max_per_second": service["max_in_window"],
            "refused": service["banned"],
            "faults": stats["faults"],
            "another_genre": outcome.unusable_reasons["of another genre"],
            "tracks_new": outcome.recorded.tracks_new,
            "minutes_at_the_limit": round(clock.monotonic() / 60, 1),
            "seconds_here": round(real.monotonic() - begun),
        }
        engine.dispose()
    if options.oracle:
        report["oracle"] = oracle(catalogue, options.target, names)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
