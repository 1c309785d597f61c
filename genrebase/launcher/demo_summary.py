"""Print the summary of the demo."""

from collections.abc import Mapping
from typing import Any, Final

from genrebase.counts import counted
from genrebase.launcher import sandbox
from genrebase.runtime.console import Output

_REGIMES: Final = {"seen_artist": "seen artists", "new_artist": "unseen artists"}


def print_summary(summary: Mapping[str, Any], output: Output) -> None:
    """Print genres, metrics of the champion, sample queries and how to open the database."""
    output.table(
        "Genres",
        ("genre", "target", "tracks", "sightings", "with features"),
        [
            (one["name"], one["target"], one["tracks"], one["sightings"], one["with_features"])
            for one in summary["genres"]
        ],
    )
    output.print(
        f"{counted(summary['tracks'], 'unique track')} from "
        f"{counted(summary['sightings'], 'sighting')} and "
        f"{counted(summary['requests'], 'request')}; audio features of "
        f"{summary['with_features']:,} ({_share(summary['with_features'], summary['tracks'])})."
    )
    _print_missing(summary, output)
    _print_champion(summary["champion"], output)
    if summary["invented"]:
        output.print(
            f"All of it comes from {sandbox.SYNTHETIC_CATALOGUE}. "
            "They say nothing about real music."
        )
    _print_sample_queries(summary["questions"], output)
    output.print(
        f"\nThe database is {summary['database']}. Programs that open it, if you have them:"
    )
    for tool, line in summary["open"].items():
        output.print(f"  {tool}: {line}")
    output.print(f"Done in {summary['seconds']:.0f} s.")


def _print_missing(summary: Mapping[str, Any], output: Output) -> None:
    """Say why genres that reached their targets have fewer tracks after an import of labels."""
    missing = [
        f"{one['name']} ({one['target'] - one['tracks']:,})"
        for one in summary["genres"]
        if one["tracks"] < (one["target"] or 0)
    ]
    if missing and any(one["name"] == "import" for one in summary["steps"]):
        output.print(
            f"Tracks missing again: {', '.join(missing)}. The harvest reached every target; then "
            "the imported labels changed the primary genre of some tracks. The next demo "
            "harvests the missing tracks."
        )


def _print_champion(champion: Mapping[str, Any] | None, output: Output) -> None:
    if champion is None:
        output.print("No model became champion: none beat the majority baseline.")
        return
    output.table(
        f"Champion: model {champion['id']}, {champion['estimator']}, "
        f"trained on {counted(champion['trained_rows'], 'track')}",
        ("tested on", "tracks", "accuracy", "95% interval", "macro F1", "top 3", "baseline"),
        [
            _metrics(what, champion["metrics"][regime])
            for regime, what in _REGIMES.items()
            if regime in champion["metrics"]
        ],
    )


def _metrics(what: str, metrics: Mapping[str, Any]) -> tuple[object, ...]:
    low, high = metrics.get("interval") or (None, None)
    interval = "" if low is None else f"{low:.3f} to {high:.3f}"
    values = (metrics.get(name) for name in ("macro_f1", "top3", "baseline"))
    return (what, metrics.get("n"), metrics.get("accuracy"), interval, *values)


def _print_sample_queries(queries: list[Mapping[str, Any]], output: Output) -> None:
    output.print("\nThree sample queries and their results:")
    for one in queries:
        output.print(f"\n{one['question']}\n\n{one['sql']};")
        output.table("", one["answer"].columns, one["answer"].rows)


def _share(part: int, whole: int) -> str:
    return "none" if not whole else f"{part / whole:.0%}"
