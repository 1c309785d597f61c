"""Internet Archive's netlabels: a search that lists items, the files of an item, their addresses.

An item is a release; its files are the tracks. The search has a cursor instead of offsets.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from collector.errors import (
    BadCredentials,
    BadRequest,
    NotAccessible,
    UnusableResponse,
)
from collector.http.client import (
    ServiceClient,
    error_with_503_as_limit,
    fingerprint,
    list_in,
)
from collector.http.file_download import domain_of
from collector.rate_limits import Account
from collector.records import ItemFiles, ListedItem, Page, PageQuery, RemoteFile
from collector.settings import CollectorSettings
from collector.sources import item_fields as fields
from collector.sources.archive_items import parse_item_files, parse_listed_item
from collector.sources.item_fields import RejectReason
from genrebase import licences
from genrebase.runtime.clock import Clock
from genrebase.store import source_ids

NAME: Final = source_ids.INTERNET_ARCHIVE
CONTACT_HELP: Final = (
    "Internet Archive wants to know who downloads: set COLLECTOR_CONTACT to your e-mail address "
    "or web page."
)
_FIELDS: Final = "identifier,title,creator,date,subject,licenseurl"
_ESCAPED: Final = str.maketrans({'"': r"\"", "\\": r"\\"})


class InternetArchive:
    """Lists the items of the collection `netlabels` by subject, and the files of each."""

    name: Final = NAME
    origin: Final = NAME
    licence: Final = licences.UNKNOWN
    """Of items that state none; the others have their own."""
    subject_kind: Final = "genre"
    has_undated: Final = False
    page_limits: Final = (1_000,)
    """The service accepts 100 to 10,000."""
    max_results: Final = 1_000_000
    """More than the archive has: the cursor has no limit."""
    batch_size: Final = 1
    items_are_tracks: Final = False

    def __init__(self, settings: CollectorSettings, clock: Clock) -> None:
        """Send requests to the address in the settings.

        Raises `BadCredentials` for the public service without a contact.
        """
        if settings.archive_base_url is None and settings.contact is None:
            raise BadCredentials(CONTACT_HELP)
        address = settings.archive_api_url
        self.account = Account(NAME, fingerprint(address), settings.archive_rate)
        self.base_url = settings.archive_base_url
        self.domain = domain_of(address)
        self.user_agent = settings.user_agent
        self._address, self._clock = address, clock
        self._max_bytes = int(settings.file_mb * 1e6)
        self._client = ServiceClient(
            address, clock, settings.timeout, self.user_agent, error_with_503_as_limit
        )

    def query_for(self, genre: str) -> str:
        """Return the query for a genre: a phrase of a subject, in the netlabels' audio."""
        phrase = genre.translate(_ESCAPED)
        return f'collection:netlabels AND mediatype:audio AND subject:"{phrase}"'

    def fetch(self, query: PageQuery) -> Page:
        """Return a page of items; its `received` counts those without an identifier, too.

        Raises `NotAccessible` for a cursor that is refused: the search is to begin anew.
        """
        params = {"q": query.query, "fields": _FIELDS, "count": str(query.limit)}
        if query.cursor is not None:
            params["cursor"] = query.cursor
        try:
            response = self._client.get_json("services/search/v1/scrape", **params)
        except BadRequest as error:
            if query.cursor is None:
                raise
            raise NotAccessible(f"The search cannot be continued: {error}") from error
        listed = list_in(response, "items", "Internet Archive's")
        cursor = response.get("cursor")
        return parse_page(
            listed[: query.limit],
            last_year=self._clock.now().year + 1,
            total=fields.get_integer(response.get("total"), 0, fields.MAX_INTEGER),
            next_cursor=cursor if isinstance(cursor, str) and cursor and listed else None,
        )

    def fetch_files(self, item_ids: Sequence[str]) -> Mapping[str, ItemFiles | str]:
        """Return an item with its files, or why it cannot be used."""
        (item_id,) = item_ids
        document = self._client.get_json(f"metadata/{quote(item_id)}")
        try:
            last_year = self._clock.now().year + 1
            return {item_id: parse_item_files(document, item_id, last_year, self._max_bytes)}
        except UnusableResponse as gone:
            return {item_id: str(gone)}

    def address_of(self, item_id: str, file: RemoteFile) -> str:
        """Return the address of a file; it redirects to the machine that has it."""
        return f"{self._address}download/{quote(item_id)}/{quote(file.name)}"


def parse_page(
    listed: Sequence[Any], *, last_year: int, total: int | None, next_cursor: str | None
) -> Page:
    """Return the items of a page, and why others are rejected."""
    items: dict[str, ListedItem] = {}
    reject_reasons: list[str] = []
    for document in listed:
        item = parse_listed_item(document, last_year)
        if isinstance(item, RejectReason):
            reject_reasons.append(item.value)
        else:
            items.setdefault(item.item_id, item)
    return Page(
        (),
        len(listed),
        tuple(reject_reasons),
        total=total,
        next_cursor=next_cursor,
        listed=tuple(items.values()),
    )
