"""Jamendo as a source of tracks by tag, and of their audio files."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from collector.errors import BadCredentials
from collector.http.client import ServiceClient, fingerprint
from collector.http.file_download import domain_of
from collector.rate_limits import Account
from collector.records import GenreVote, ItemFiles, Page, PageItem, PageQuery, RemoteFile
from collector.settings import CollectorSettings
from collector.shard import ALL_YEARS, FIRST_SPLIT_YEAR
from collector.sources.item_fields import GONE, RejectReason
from collector.sources.jamendo_items import (
    CLIENT_ID_HELP,
    JamendoTrack,
    parse_track,
    results_of,
    tag_of,
)
from genrebase import licences
from genrebase.runtime import redaction
from genrebase.runtime.clock import Clock
from genrebase.store import source_ids

NAME: Final = source_ids.JAMENDO
NOT_ALLOWED: Final = "its artist allows no download"
_DOMAIN: Final = "jamendo.com"


class Jamendo:
    """Searches tracks by tag and years; a tag is one word."""

    name: Final = NAME
    origin: Final = NAME
    licence: Final = licences.UNKNOWN
    """Of tracks that state none; the others have their own."""
    subject_kind: Final = "genre"
    has_undated: Final = False
    page_limits: Final = (200,)
    max_results: Final = 10_000
    """The API states no limit; beyond it, searches are split by years."""
    batch_size: Final = 50
    items_are_tracks: Final = True

    def __init__(self, settings: CollectorSettings, clock: Clock) -> None:
        """Send requests with the client id in the settings; raise `BadCredentials` without one."""
        if settings.jamendo_client_id is None:
            raise BadCredentials(f"Jamendo needs a client id: {CLIENT_ID_HELP}")
        client_id = settings.jamendo_client_id.get_secret_value()
        redaction.hide(client_id)
        address = settings.jamendo_api_url
        credential = fingerprint(address, client_id)
        self.account = Account(NAME, credential, settings.jamendo_rate)
        self.base_url = settings.jamendo_base_url
        self.user_agent = settings.user_agent
        self.domain = _DOMAIN if self.base_url is None else domain_of(address)
        self._client_id, self._clock = client_id, clock
        self._client = ServiceClient(address, clock, settings.timeout, self.user_agent)

    def query_for(self, genre: str) -> str:
        """Return the tag of a genre: one word, `hiphop` for hip hop."""
        return tag_of(genre)

    def fetch(self, query: PageQuery) -> Page:
        years = {}
        if (query.year_from, query.year_to) != ALL_YEARS:
            first = 0 if query.year_from <= FIRST_SPLIT_YEAR else query.year_from
            years = {"datebetween": f"{first:04}-01-01_{query.year_to:04}-12-31"}
        results, total = self._get(
            tags=query.query,
            limit=str(query.limit),
            offset=str(query.offset),
            order="popularity_total",
            fullcount="true",
            **years,
        )
        page = parse_page(results[: query.limit], query.genre, self._clock.now().year + 1)
        return replace(page, total=total)

    def fetch_files(self, item_ids: Sequence[str]) -> Mapping[str, ItemFiles | str]:
        """Return tracks with their file, or why there is none."""
        results, _ = self._get(id=" ".join(item_ids), limit=str(len(item_ids)))
        files: dict[str, ItemFiles | str] = dict.fromkeys(item_ids, GONE)
        for document in results:
            parsed = parse_track(document, self._clock.now().year + 1)
            if isinstance(parsed, JamendoTrack) and parsed.item.item_id in files:
                files[parsed.item.item_id] = _files_of(parsed)
        return files

    def address_of(self, item_id: str, file: RemoteFile) -> str:  # noqa: ARG002 - archives use it
        """Return the address of a file, as the API gave it; "" where it gave none."""
        return file.address or ""

    def _get(self, **params: str) -> tuple[list[Any], int | None]:
        document = self._client.get_json(
            "tracks/",
            client_id=self._client_id,
            format="json",
            include="musicinfo",
            type="single albumtrack",
            **params,
        )
        return results_of(document)


def parse_page(results: Sequence[Any], genre: str, last_year: int) -> Page:
    """Return the usable tracks of a page for a genre, and why others are rejected.

    The tag that was searched for gets the genre's own name.
    """
    items: list[PageItem] = []
    reject_reasons: list[str] = []
    key = tag_of(genre)
    for position, document in enumerate(results):
        parsed = parse_track(document, last_year)
        if isinstance(parsed, RejectReason):
            reject_reasons.append(parsed.value)
            continue
        votes = tuple(
            GenreVote(genre, vote.votes, vote.level) if tag_of(vote.name) == key else vote
            for vote in parsed.genres
        )
        items.append(PageItem(parsed.track, position, votes))
    return Page(tuple(items), len(results), tuple(reject_reasons))


def _files_of(parsed: JamendoTrack) -> ItemFiles | str:
    if parsed.download is None:
        return NOT_ALLOWED
    name = f"{parsed.item.item_id}.mp3"
    return ItemFiles(parsed.item, (RemoteFile(name=name, address=parsed.download),))
