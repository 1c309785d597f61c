"""JSON objects of MusicBrainz' web service: hits of a search, and looked-up recordings. Pure.

A search leaves out what it does not have, and has `video: null`; a lookup has every field of
its kind, and only what `inc` names besides.
"""

import re
from collections.abc import Collection
from typing import Any, Final

from sandbox import Json, ids
from sandbox.tracks.recordings import RecordingCatalogue, SandboxRecording
from sandbox.tracks.track_columns import SandboxTrack

OFFICIAL: Final = "4e304316-386d-3409-af2e-78857eec5cfe"
"""The id of the status `Official`."""
_ALBUM: Final = "f529b476-6e62-324f-b0aa-1f3e33d313fc"
_STREAMING: Final = "7e41ef12-a124-4324-afdb-fdbae687a89c"
_JOIN_PHRASES: Final = (" feat. ", " & ", " with ", " / ")
_CREDIT_IN_TITLE: Final = re.compile(r" \(feat\. [^)]*\)$")
_SPOTIFY_TRACK: Final = "https://open.spotify.com/track/"
_COUNTRIES: Final = ("US", "GB", "DE", "XW", "JP")
_NO_LENGTH: Final = 6
"""In 256 recordings so many have no length."""
_WHOLE_SECONDS: Final = 150
"""In 256 recordings the length of so many is in whole seconds."""
_MAX_LENGTH_DEVIATION: Final = 450
"""Milliseconds between the recordings of one track; rounding adds up to 500."""
_VIDEO_EXTRA: Final = 7_000
"""Milliseconds that a video lasts longer."""


class RecordingObjects:
    """Builds the objects of one catalogue."""

    def __init__(self, catalogue: RecordingCatalogue) -> None:
        self._catalogue = catalogue

    def hit(self, recording: SandboxRecording, score: int) -> Json:
        """Return a recording as a search returns it."""
        track = self._catalogue.tracks.track_at(recording.row)
        document: Json = {
            "id": recording.search_mbid,
            "score": score,
            "title": _title(track),
            "length": self._length(recording, track),
            "artist-credit": self._credit(recording, is_lookup=False),
            "artist-credit-id": ids.uuid_from_text(f"credit|{'|'.join(track.artists)}"),
            "first-release-date": recording.date,
            "releases": [self._release(recording, track, with_track=True)],
            "isrcs": [track.isrc] if track.isrc else [],
            "tags": [{"count": votes, "name": name} for name, votes in recording.tags],
        }
        document = {key: value for key, value in document.items() if value not in (None, "", [])}
        return {**document, "video": True if recording.is_video else None}

    def lookup(self, recording: SandboxRecording, inc: Collection[str]) -> Json:
        """Return a recording with what `inc` names."""
        track = self._catalogue.tracks.track_at(recording.row)
        document: Json = {
            "id": recording.mbid,
            "title": _title(track),
            "length": self._length(recording, track),
            "disambiguation": "",
            "video": recording.is_video,
            "first-release-date": recording.date,
        }
        parts: dict[str, tuple[str, Any]] = {
            "aliases": ("aliases", []),
            "artist-credits": ("artist-credit", self._credit(recording, is_lookup=True)),
            "isrcs": ("isrcs", [track.isrc] if track.isrc else []),
            "tags": ("tags", [{"count": votes, "name": name} for name, votes in recording.tags]),
            "genres": ("genres", self._genres(recording)),
            "ratings": ("rating", {"value": None, "votes-count": 0}),
            "releases": ("releases", [self._release(recording, track, with_track=False)]),
            "url-rels": ("relations", self._streaming(recording)),
        }
        return document | {key: value for name, (key, value) in parts.items() if name in inc}

    def url(self, resource: str, inc: Collection[str]) -> Json | None:
        """Return the url with its recordings; None where no recording has it."""
        recordings = self._catalogue.by_track.get(resource.removeprefix(_SPOTIFY_TRACK), ())
        if not recordings or not resource.startswith(_SPOTIFY_TRACK):
            return None
        document: Json = {"id": ids.uuid_from_text(f"url|{resource}"), "resource": resource}
        if "recording-rels" in inc:
            document["relations"] = [
                {
                    **_relation("recording", "backward"),
                    "recording": self.lookup(recording, ()),
                }
                for recording in recordings
            ]
        return document

    def genre(self, name: str) -> Json:
        """Return a genre of the list."""
        return {"id": self._catalogue.genres[name], "name": name, "disambiguation": ""}

    def _genres(self, recording: SandboxRecording) -> list[Json]:
        genres = self._catalogue.genres
        return [
            {**self.genre(name), "count": votes}
            for name, votes in recording.tags
            if name in genres
        ]

    def _length(self, recording: SandboxRecording, track: SandboxTrack) -> int | None:
        """Return milliseconds: those of the table where it has MBIDs, else often rounded."""
        if self._catalogue.tracks.has_mbids or not track.duration_ms:
            return track.duration_ms or None
        draws = ids.draws_from_text(f"length|{recording.mbid}", 4)
        if draws[0] < _NO_LENGTH:
            return None
        length = track.duration_ms + _VIDEO_EXTRA * recording.is_video
        if recording.copy:
            length += int.from_bytes(draws[2:], "big") % _MAX_LENGTH_DEVIATION
        return round(length, -3) if draws[1] < _WHOLE_SECONDS else length

    def _credit(self, recording: SandboxRecording, *, is_lookup: bool) -> list[Json]:
        artists = self._catalogue.artists(recording)
        draws = ids.draws_from_text("|".join(name for _, name in artists), 1)
        last = _JOIN_PHRASES[draws[0] % len(_JOIN_PHRASES)]
        phrases = [", "] * (len(artists) - 2) + [last] * (len(artists) > 1) + [""]
        credit = []
        for (mbid, name), phrase in zip(artists, phrases, strict=True):
            artist = {"id": mbid, "name": name, "sort-name": name}
            document: Json = {"name": name}
            if phrase or is_lookup:
                document["joinphrase"] = phrase
            extra = {"disambiguation": ""} if is_lookup else {}
            credit.append({**document, "artist": artist | extra})
        return credit

    def _release(
        self, recording: SandboxRecording, track: SandboxTrack, *, with_track: bool
    ) -> Json:
        cell = self._catalogue.tracks.cell_at
        album_id = ids.uuid_from_text(f"release|{track.album_id}")
        release: Json = {
            "id": cell(recording.row, "release_mbid") or album_id,
            "title": track.album or _title(track),
            "status": "Official",
            "status-id": OFFICIAL,
            "date": recording.date,
            "country": _COUNTRIES[int(album_id[:2], 16) % len(_COUNTRIES)],
        }
        if not with_track:
            return {**release, "disambiguation": "", "quality": "normal", "packaging": None}
        group = cell(recording.row, "release_group_mbid")
        release["release-group"] = {
            "id": group or ids.uuid_from_text(f"group|{track.album_id}"),
            "title": release["title"],
            "primary-type": "Album",
            "primary-type-id": _ALBUM,
        }
        number = 1 + int(recording.mbid[:2], 16) % 12
        on_medium: Json = {
            "id": ids.uuid_from_text(f"track|{recording.mbid}"),
            "number": str(number),
            "title": _title(track),
        }
        if length := self._length(recording, track):
            on_medium["length"] = length
        medium = {"position": 1, "format": "CD", "track": [on_medium], "track-count": 12}
        release |= {"track-count": 12, "media": [{**medium, "track-offset": number - 1}]}
        return {key: value for key, value in release.items() if value != ""}

    def _streaming(self, recording: SandboxRecording) -> list[Json]:
        track_id = self._catalogue.tracks.id_at(recording.row)
        resource = f"{_SPOTIFY_TRACK}{track_id}"
        url = {"id": ids.uuid_from_text(f"url|{resource}"), "resource": resource}
        return [] if recording.is_video else [{**_relation("url", "forward"), "url": url}]


def _relation(target: str, direction: str) -> Json:
    return {
        "type": "free streaming",
        "type-id": _STREAMING,
        "target-type": target,
        "direction": direction,
        "attributes": [],
        "begin": None,
        "end": None,
        "ended": False,
    }


def _title(track: SandboxTrack) -> str:
    """Return the title; guests stand in the credit alone."""
    return _CREDIT_IN_TITLE.sub("", track.title)
