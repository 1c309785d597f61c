"""Manage genres, their targets and mappings."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Annotated

import typer

from collector.catalogue.genres import Genre
from collector.curation import genres, mappings, vocabulary
from collector.datasets.parsing import genre_names
from collector.settings import CollectorSettings
from genrebase import store
from genrebase.counts import counted
from genrebase.runtime.clock import Clock, SystemClock
from genrebase.runtime.command_line import CommandLine
from genrebase.runtime.console import Output
from genrebase.store import source_ids
from genrebase.store.engine import Engine

app = CommandLine("genres", __doc__)

_MOST = 1_000_000_000
_COLUMNS = ("genre", "target", "tracks", "sightings", "paused", "playlists")

Name = Annotated[str, typer.Argument(help="The genre, as it is searched for.")]
Target = Annotated[int, typer.Option(min=0, max=_MOST, help="Unique tracks to collect.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]


@app.command()
def add(
    name: Name,
    target: Target,
    playlist: Annotated[
        list[str] | None,
        typer.Option(help="A playlist (ID, URI or URL) that belongs to the genre; repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a genre, or change the target of a stored one.

    Examples:
      collector genres add "hip hop" --target 1000
    """
    output, engine = Output(as_json=as_json), store.connect()
    added = genres.add(engine, SystemClock(), name, target, playlist or ())
    output.print(f"{added.name}: target {counted(target, 'track')}, {added.tracks:,} stored.")
    hint = vocabulary.hint(engine, added.name)
    if hint is not None:
        output.warn(hint)
    output.write_json(_document(added))


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show all genres.

    Examples:
      collector genres list
    """
    output = Output(as_json=as_json)
    everything = genres.list_genres(store.connect())
    if everything:
        output.table(counted(len(everything), "genre"), _COLUMNS, map(_row, everything))
    else:
        output.print("No genre yet: collector genres add NAME --target N")
    output.write_json([_document(genre) for genre in everything])


@app.command()
def target(
    name: Name,
    wanted: Annotated[
        str, typer.Argument(metavar="N", help="Unique tracks to collect; `none`: no harvest.")
    ],
    as_json: AsJson = False,
) -> None:
    """Change how many tracks of a genre to collect.

    Examples:
      collector genres target "hip hop" 2000
    """
    output = Output(as_json=as_json)
    changed = genres.set_target(store.connect(), name, _number(wanted))
    output.print(f"{changed.name}: {_wanted(changed)}, {changed.tracks:,} stored.")
    output.write_json(_document(changed))


@app.command()
def pause(name: Name, as_json: AsJson = False) -> None:
    """Exclude a genre from harvests, until it is resumed.

    Examples:
      collector genres pause "hip hop"
    """
    _pause(name, paused=True, as_json=as_json)


@app.command()
def resume(name: Name, as_json: AsJson = False) -> None:
    """Include a paused genre in harvests again.

    Examples:
      collector genres resume "hip hop"
    """
    _pause(name, paused=False, as_json=as_json)


@app.command()
def rename(
    old: Name,
    new: Annotated[str, typer.Argument(help="The name to search for from now on.")],
    as_json: AsJson = False,
) -> None:
    """Rename a genre: tracks and labels are kept, the search restarts with the new name.

    Examples:
      collector genres rename "hip hop" hip-hop
    """
    output = Output(as_json=as_json)
    renamed = genres.rename(store.connect(), old, new)
    output.print(f"{old} is called {renamed.name} now.")
    output.write_json(_document(renamed))


@app.command()
def merge(
    merged: Annotated[str, typer.Argument(help="The genre to remove.")],
    into: Annotated[str, typer.Argument(help="The genre to keep.")],
    as_json: AsJson = False,
) -> None:
    """Merge two genres: sightings, labels and predictions move to the second.

    Examples:
      collector genres merge hiphop hip-hop
    """
    output = Output(as_json=as_json)
    done = genres.merge(store.connect(), merged, into)
    output.print(
        f"{done.merged} is merged into {done.into.name}: "
        f"{counted(done.into.sightings, 'sighting')}, {done.shared_sightings:,} of them in both. "
        "Models keep the old genres until the next training: classifier train"
    )
    output.write_json(
        {
            "merged": done.merged,
            "into": _document(done.into),
            "sightings_united": done.shared_sightings,
        }
    )


@app.command()
def merges(
    mapping: Annotated[
        str | None,
        typer.Option(
            help="Write a mapping of this name, in which each proposed pair is one genre."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Propose genres that may be one, by common tracks, confusions of the champion, and verdicts.

    Nothing is merged. With --mapping a mapping of all genres is written, for `classifier train
    --task NAME --level broad --mapping NAME`; `collector genres merge` merges two genres.

    Examples:
      collector genres merges
      collector genres merges --mapping merged
    """
    output = Output(as_json=as_json)
    engine = store.connect()
    proposals = mappings.proposed_merges(engine)
    for one in proposals:
        output.print(f"{one.sentence()}.")
    document: dict[str, object] = {"proposals": [one.as_json() for one in proposals]}
    if mapping is not None:
        done = mappings.define_merged(engine, genre_names.validate(mapping), proposals)
        output.print(
            f"The mapping {done.mapping} puts {counted(done.genres, 'genre')} into "
            f"{len(done.broad):,}. To train on it: classifier train --task NAME --level broad "
            f"--mapping {shlex.quote(done.mapping)}"
        )
        document |= {"mapping": done.mapping, "genres": done.genres, "broad": len(done.broad)}
    elif not proposals:
        output.print("No two genres look like one.")
    output.write_json(document)


@app.command()
def remove(
    name: Name,
    force: Annotated[
        bool,
        typer.Option("--force", help="Also delete predictions and model metrics that name it."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remove a genre and its sightings; its tracks stay. Refused if a verdict names it.

    Examples:
      collector genres remove polka
    """
    output = Output(as_json=as_json)
    removed = genres.remove(store.connect(), name, force=force)
    output.print(
        f"{removed.name} is removed; it was the genre of {counted(removed.tracks_left, 'track')}."
    )
    output.write_json(asdict(removed))


@app.command()
def recount(as_json: AsJson = False) -> None:
    """Count the tracks of every genre again, if `genrebase doctor` finds wrong counters.

    Examples:
      collector genres recount
    """
    output = Output(as_json=as_json)
    corrected = genres.recount(store.connect())
    output.print(f"The counters of {counted(len(corrected), 'genre')} were corrected.")
    output.write_json({"corrected": corrected})


@app.command("import")
def import_(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE|musicbrainz",
            help="A dataset, or a list with one name per line; or `musicbrainz` for MusicBrainz' "
            "list of genres, which takes one request.",
        ),
    ],
    target: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=_MOST,
            help="Unique tracks to collect per genre; without it, the names become a vocabulary.",
        ),
    ] = None,
    genre_column: Annotated[
        str | None, typer.Option(help="The dataset's column that holds the genre.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """With --target, add the genres of a file; without it, store their names as a vocabulary.

    If one genre cannot be added, none is. A vocabulary is a list of names that genres can have:
    `genres add` looks up new names in MusicBrainz' list, and `listen` looks up subjects of items
    in all vocabularies. A list that is imported again under the same name replaces the earlier
    one.

    Examples:
      collector genres import genres.txt --target 1000
      collector genres import musicbrainz
    """
    output, engine, clock = Output(as_json=as_json), store.connect(), SystemClock()
    path = Path(file)
    is_file = file != source_ids.MUSICBRAINZ or path.exists()
    listed = genres.read_names(path, genre_column) if is_file else _fetch_names(engine, clock)
    if target is None:
        names = vocabulary.replace(engine, path.name, listed)
        output.print(
            f"The vocabulary {path.name} has {counted(len(names), 'name')}. To collect a genre: "
            "collector genres add NAME --target N"
        )
        output.write_json({"genres": names, "target": None, "vocabulary": path.name})
        return
    names = genres.set_targets(engine, clock, listed, target)
    output.print(
        f"{counted(len(names), 'genre')}, target {counted(target, 'track')} each: "
        f"{', '.join(names)}."
    )
    output.write_json({"genres": names, "target": target, "vocabulary": None})


def _fetch_names(engine: Engine, clock: Clock) -> list[str]:
    # these bring the HTTP client: the other commands need not wait
    from collector import composition_root
    from collector.http.retry import call_with_retries
    from collector.sources.musicbrainz_client import MusicBrainzClient

    settings = CollectorSettings.load()
    _, budget = composition_root.open_source(source_ids.MUSICBRAINZ, engine, settings, clock)
    return call_with_retries(budget, clock, MusicBrainzClient(settings, clock).genres)


@app.command("map")
def map_(
    file: Annotated[Path, typer.Argument(help="A table with the columns fine and broad.")],
    mapping: Annotated[str, typer.Option(help="The mapping's name.")],
    as_json: AsJson = False,
) -> None:
    """Import a mapping (the broad genre of each fine genre) from a file.

    It replaces an earlier mapping of the same name.

    Examples:
      collector genres map groups.csv --mapping mine
    """
    output = Output(as_json=as_json)
    done = mappings.define(store.connect(), genre_names.validate(mapping), file)
    output.print(
        f"The mapping {done.mapping} puts {counted(done.genres, 'genre')} into "
        f"{len(done.broad):,}: {', '.join(done.broad)}."
    )
    if done.unmapped:
        output.warn(f"Genres that the mapping lacks: {', '.join(done.unmapped)}.")
    output.write_json(asdict(done))


@app.command("mappings")
def mappings_(
    remove: Annotated[
        str | None, typer.Option(help="Remove this mapping; genres and tracks stay.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the mappings of fine genres to broad ones; the view genre_mappings has their rows.

    Examples:
      collector genres mappings
    """
    output = Output(as_json=as_json)
    engine = store.connect()
    if remove is not None:
        gone = mappings.remove(engine, remove)
        output.print(f"The mapping {remove} is removed; it held {counted(gone, 'genre')}.")
    summaries = mappings.list_mappings(engine)
    if summaries:
        columns = ("mapping", "fine genres", "broad genres")
        output.table("Mappings", columns, map(astuple, summaries))
    else:
        output.print("No mapping: collector genres map FILE --mapping NAME")
    output.write_json([asdict(one) for one in summaries])


def _pause(name: str, *, paused: bool, as_json: bool) -> None:
    output = Output(as_json=as_json)
    changed = genres.set_paused(store.connect(), name, paused=paused)
    output.print(f"{changed.name} is {'paused' if paused else 'harvested again'}.")
    output.write_json(_document(changed))


def _number(wanted: str) -> int | None:
    if wanted.strip().casefold() == "none":
        return None
    if not wanted.strip().isdecimal() or int(wanted) > _MOST:
        raise typer.BadParameter(f"{wanted!r} is not a number of tracks, nor `none`.")
    return int(wanted)


def _wanted(genre: Genre) -> str:
    return "imports only" if genre.target is None else f"target {counted(genre.target, 'track')}"


def _row(genre: Genre) -> Sequence[object]:
    playlists = len(genre.playlists) or None
    return (genre.name, genre.target, genre.tracks, genre.sightings, genre.paused, playlists)


def _document(genre: Genre) -> dict[str, object]:
    return {name: value for name, value in asdict(genre).items() if name != "id"}
