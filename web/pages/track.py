"""The page of one track: its labels, predictions, features, and its place in the split."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, select

from genrebase import licences
from genrebase.errors import UserError
from genrebase.store import find, tables, views
from genrebase.store.split import TEST_FOLD, VALIDATION_FOLD
from genrebase.store.tables import (
    ACOUSTICBRAINZ_PROVIDER,
    AUDIO_PROVIDER,
    FEATURES,
    INCOMPARABLE_FEATURES,
    SUBMISSION_NUMBERS,
)
from web import svg
from web.forms import id_number
from web.page_sections import Page, Section, by_name, query, stored
from web.pages import PageRequest, why
from web.percentiles import percentile
from web.problems import Moved, NotFound

_TRACK = "SELECT * FROM tracks WHERE track_id = :track_id"
_CREDITS = """
SELECT artist_id, artist, position, fold FROM track_credits
WHERE track_id = :track_id ORDER BY position
"""
_IDS = """
SELECT source, source_id FROM track_alias WHERE track_id = :track_id ORDER BY source, source_id
"""
_SIGHTINGS = """
SELECT genre, source, rank, votes, level, times, licence, first_seen_at, last_seen_at
FROM track_genre_sources WHERE track_id = :track_id ORDER BY rank, genre, source
"""
_PREDICTIONS = """
SELECT g.name AS genre, p.rank, p.probability, p.regime, p.in_training, p.model_id, p.predicted_at,
       p.siblings
FROM prediction p JOIN genre g ON g.id = p.genre_id JOIN model m ON m.id = p.model_id
WHERE p.track_id = :track_id AND m.task = 'main' AND m.status = 'champion' ORDER BY p.rank
"""
VERDICTS = """
SELECT v.labelled_by, g.name AS genre, v.labelled_at, v.note
FROM verdict v JOIN genre g ON g.id = v.genre_id WHERE v.track_id = :track_id
ORDER BY v.labelled_at DESC, v.labelled_by DESC
"""
_SIBLINGS = """
SELECT t.track_id, t.title, t.label, t.side FROM tracks t
WHERE t.track_id IN (
  SELECT other.track_id FROM track_credits own
  JOIN track_credits other ON other.artist_id = own.artist_id AND other.track_id <> own.track_id
  WHERE own.track_id = :track_id AND own.position = 0 ORDER BY other.track_id LIMIT 8
) ORDER BY t.track_id
"""
_PROFILES = "SELECT * FROM {view} WHERE genre = :key ORDER BY genre, feature"
_NUMBERS = "SELECT * FROM acousticbrainz_features WHERE track_id = :track_id"
_MATCH = """
SELECT genre, distance, percentile, nearest_genre, nearest_distance, method FROM track_matches
WHERE track_id = :track_id
"""
_GENRE_NAMES: Final = "SELECT name FROM genre ORDER BY name"
_KEYS: Final = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
_STRIPS: Final = tuple(name for name in FEATURES if name not in {"key", "mode", "time_signature"})


def page(request: PageRequest) -> Page:
    """Return the page of the track that the address names by id; raise `NotFound`."""
    connection = request.connection
    by = sections_of(connection, request.path["track"])
    one = by["track"].records[0]
    first = by["predictions"].first()
    genres = {"label": one["label"], "predicted": first["genre"] if first else one["label"]}
    profiles = _profiles(connection, "profiles", "genre_profiles", genres)
    strips = _strips(_features(one), genres, profiles)
    numbers = by["numbers"].first()
    number_profiles = Section("number_profiles", profiles.columns, ())
    if numbers is not None:
        number_profiles = _profiles(
            connection, "number_profiles", "acousticbrainz_profiles", genres
        )
        values = {name: numbers[name] for name in SUBMISSION_NUMBERS}
        strips += [
            {**strip, "name": f"{ACOUSTICBRAINZ_PROVIDER}_{strip['name']}", "label": strip["name"]}
            for strip in _strips({name: (name, value) for name, value in values.items()}, genres,
                                 number_profiles)
        ]  # fmt: skip
    explained, reasons = why.evidence(request.explained, first, one["claim"])
    flags = {name: request.flag(name) for name in ("blind", "hide", "why", "disputes")}
    hidden = next((name for name in ("blind", "hide") if flags[name]), "")
    return Page(
        one["title"],
        "track_hidden.html" if hidden else "track.html",
        {
            **by,
            **by_name(
                profiles, number_profiles, _percentiles(strips, one["label"], profiles), explained
            ),
        },
        {
            "track": one,
            "first": first,
            "hidden": hidden,
            "not_used": _not_used(connection, one, first, by) if first else "",
            "genre_names": _genre_names(connection) if hidden else [],
            **reasons,
            "key": _key(one),
            "strips": strips,
            "bars": [_bar(row, one["claim"]) for row in by["predictions"].records],
            "folds": _folds(one, by["credits"]),
        },
    )


def _not_used(
    connection: Connection,
    track: Mapping[str, Any],
    first: Mapping[str, Any],
    by: Mapping[str, Section],
) -> str:
    """Return why the champion was not trained on the track; empty if it was."""
    if first["in_training"]:
        return ""
    if track["side"] != "train":
        return f"not used for training: its side of the split is {track['side'].replace('_', ' ')}"
    config = connection.scalar(
        select(tables.model.c.training_config).where(tables.model.c.id == first["model_id"])
    )
    allowed = (config or {}).get("licence", "any")
    names = [row["licence"] or licences.UNKNOWN for row in by["sightings"].records]
    if (
        names
        and not by["verdicts"].rows
        and not any(licences.is_allowed(name, allowed) for name in names)
    ):
        kind = "an open" if allowed == "open" else "an open or non-commercial"
        label = ", ".join(dict.fromkeys(names))
        return f"not used for training: its label is not under {kind} licence ({label})"
    return "the champion was not trained on it"


def _genre_names(connection: Connection) -> list[str]:
    return [row["name"] for row in query(connection, "genres", _GENRE_NAMES).records]


def sections_of(connection: Connection, text: str) -> dict[str, Section]:
    """Return what belongs to the track that a text names; raise `NotFound` or `Moved`."""
    track_id = id_of(connection, text)
    if id_number(text, track_id) != track_id:
        raise Moved(text, track_id)
    sections = [query(connection, "track", _TRACK, track_id=track_id)]
    for name, sql in (
        ("credits", _CREDITS), ("ids", _IDS), ("sightings", _SIGHTINGS),
        ("predictions", _PREDICTIONS), ("verdicts", VERDICTS), ("siblings", _SIBLINGS),
        ("match", _MATCH), ("numbers", _NUMBERS),
    ):  # fmt: skip
        sections.append(query(connection, name, sql, track_id=track_id))
    return by_name(*sections)


def id_of(connection: Connection, text: str) -> int:
    """Return the id of the track that a text names; raise `NotFound`."""
    try:
        track_id = find.find_track(connection, text)
    except UserError as error:
        raise NotFound(str(error)) from None
    if track_id is None:
        raise NotFound(f"There is no track {text!r}.")
    return track_id


def _profiles(
    connection: Connection, name: str, view: str, genres: Mapping[str, str | None]
) -> Section:
    """Return the profiles of the genres in a view, one after another."""
    sql = _PROFILES.format(view=view)
    names = [genre for genre in dict.fromkeys(genres.values()) if genre]
    parts = [stored(connection, name, sql, view, genre) for genre in names]
    if not parts:
        return Section(name, tuple(views.ALL[view].columns), ())
    rows = tuple(row for part in parts for row in part.rows)
    return replace(parts[0], rows=rows)


def _key(track: dict[str, Any]) -> str:
    parts = []
    if track["key"] is not None:
        mode = {1: " major", 0: " minor"}.get(track["mode"], "")
        parts.append(f"{_KEYS[track['key']]}{mode}")
    if track["time_signature"] is not None:
        parts.append(f"{track['time_signature']} beats per bar")
    return ", ".join(parts)


def _bar(row: dict[str, Any], claim: str | None) -> Any:
    style = "p-ans" if row["rank"] == 1 else "p-claim" if row["genre"] == claim else "p-rest"
    return svg.probability(row["probability"], style)


def _features(track: dict[str, Any]) -> dict[str, tuple[str, float | None]]:
    """Return the track's audio features by name: their names in profiles, and the values."""
    own = INCOMPARABLE_FEATURES if track["provider"] == AUDIO_PROVIDER else ()
    return {name: (f"own_{name}" if name in own else name, track[name]) for name in _STRIPS}


def _strips(
    values: Mapping[str, tuple[str, float | None]], genres: dict[str, Any], profiles: Section
) -> list[dict[str, Any]]:
    """Return a row per feature that the track has: its value on the genres' distributions."""
    by_genre = {(row["genre"], row["feature"]): row for row in profiles.records}
    strips: list[dict[str, Any]] = []
    for name, (feature, value) in values.items():
        if value is None:
            continue
        rows = [
            (style, [row[column] for column in ("p05", "p25", "p50", "p75", "p95")])
            for style, genre in (("claim", genres["label"]), ("ans", genres["predicted"]))
            if (row := by_genre.get((genre, feature))) is not None
        ]
        if len(rows) == 2 and genres["label"] == genres["predicted"]:
            rows = rows[:1]
        label = f"{name} {value:g}" + "".join(
            f"; {genre}: median {row['p50']:g}"
            for genre in dict.fromkeys(genres.values())
            if (row := by_genre.get((genre, feature))) is not None
        )
        of_label = by_genre.get((genres["label"], feature))
        strips.append(
            {
                "name": name,
                "label": name,
                "value": value,
                "picture": svg.strip(value, rows, label),
                "percentile": percentile(value, of_label) if of_label else None,
            }
        )
    return strips


def _percentiles(strips: list[dict[str, Any]], label: str | None, profiles: Section) -> Section:
    """Return the track's features with their percentiles among the tracks of its label.

    They are interpolated between those of the sections `profiles` and `number_profiles`.
    """
    columns = ("feature", "value", "label", "percentile")
    rows = tuple((one["name"], one["value"], label, one["percentile"]) for one in strips)
    return Section("percentiles", columns, rows, as_of=profiles.as_of)


def _folds(track: dict[str, Any], artists: Section) -> list[dict[str, Any]]:
    held_out = [VALIDATION_FOLD], [TEST_FOLD]
    names = [(row["artist"], row["fold"]) for row in artists.records]
    strips = [*names, ("this track", track["track_fold"])]
    return [
        {
            "name": name,
            "fold": fold,
            "picture": svg.fold_strip(fold, *held_out, f"{name}: fold {fold} of 0 to 9"),
        }
        for name, fold in strips
    ]
