"""What a hostile server does: by name, of responses in general, of content, and of tokens."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

from tests.hostile_server import (
    CLIENT_SECRET,
    TOKEN_START,
    Behaviour,
    Exchange,
    track,
)

OK: Final = b"HTTP/1.1 200 OK\r\n"
CHUNKED: Final = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BOMB_BYTES: Final = 40 << 20
ESCAPES: Final = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\r\n\x00"
"""Sets a terminal's title, clears it, colours it, turns text around, and ends a line."""


@dataclass(frozen=True)
class Mode:
    """One kind of harm."""

    name: str
    behaviour: Behaviour
    slow: bool = False
    """Whether a request ends by its deadline only."""


def _dribble(first: bytes, repeated: bytes) -> Behaviour:
    return lambda exchange: exchange.dribble(first, repeated)


def _flood(first: bytes, repeated: bytes) -> Behaviour:
    return lambda exchange: exchange.flood(first, repeated)


def _send(sent: bytes) -> Behaviour:
    """Send bytes, and close."""

    def behave(exchange: Exchange) -> None:
        exchange.send(sent)
        exchange.connection.close()

    return behave


def _respond(body: bytes, status: int = 200, headers: str = "") -> Behaviour:
    return lambda exchange: exchange.respond(body, status, headers)


def _encoded(encoding: str, pack: Callable[[bytes], bytes]) -> Behaviour:
    """Respond with the right body, packed by `pack` under the name `encoding`."""
    headers = f"Content-Encoding: {encoding}\r\n"
    return lambda exchange: exchange.respond(pack(exchange.body), headers=headers)


@cache
def _bomb(layers: int) -> bytes:
    packed = b'"' + b"a" * BOMB_BYTES + b'"'
    for _ in range(layers):
        packed = gzip.compress(packed, 6)
    return packed


def _gzip_bomb(layers: int, exchange: Exchange) -> None:
    names = ", ".join(["gzip"] * layers)
    exchange.respond(_bomb(layers), headers=f"Content-Encoding: {names}\r\n")


def _deflate_bomb(exchange: Exchange) -> None:
    body = zlib.compress(b" " * BOMB_BYTES)
    exchange.respond(body, headers="Content-Encoding: deflate\r\n")


def _redirect(location: str, status: int, exchange: Exchange) -> None:
    to = location or exchange.target
    exchange.respond(b"", status, f"Location: {to}\r\n")


def _wrong_length(change: int, exchange: Exchange) -> None:
    body = exchange.body
    exchange.send(OK + f"Content-Length: {len(body) + change}\r\n\r\n".encode() + body)
    exchange.connection.close()


def _twice(exchange: Exchange) -> None:
    exchange.respond(exchange.body)
    exchange.respond(exchange.body)


def _cut(exchange: Exchange) -> None:
    body = exchange.body
    exchange.send(OK + f"Content-Length: {len(body)}\r\n\r\n".encode() + body[: len(body) // 2])
    exchange.connection.close()


def _reset(exchange: Exchange) -> None:
    exchange.send(OK + b"Content-Length: 100000\r\n\r\n{")
    exchange.reset()


def _two_lengths(exchange: Exchange) -> None:
    exchange.respond(exchange.body, headers=f"Content-Length: {len(exchange.body) + 7}\r\n")


def _cookies(exchange: Exchange) -> None:
    lines = (
        f"Set-Cookie: c{exchange.number}n{n}={'v' * 4_000}; Max-Age=99999999; Path=/\r\n"
        for n in range(90)
    )
    exchange.respond(exchange.body, headers="".join(lines))


def _echo(status: int, exchange: Exchange) -> None:
    """Repeat the client's secrets in every place of an error that is read."""
    token = exchange.token
    shown = f"{' ' * 780}{CLIENT_SECRET} {token} {ESCAPES}"
    error = {"message": shown, "reason": f"{ESCAPES}{token} {CLIENT_SECRET}", "status": status}
    exchange.respond(json.dumps({"error": error}).encode(), status, f"X-Echo: {token}\r\n")


def _limited(retry_after: str, exchange: Exchange) -> None:
    error = {"error": {"message": ESCAPES, "reason": "R\ud800" + ESCAPES, "status": 429}}
    exchange.respond(json.dumps(error).encode(), 429, f"Retry-After: {retry_after}\r\n")


def _bad_charset(name: str, body: bytes, status: int) -> Behaviour:
    return _respond(body, status, f"Content-Type: application/json; charset={name}\r\n")


def _transport() -> Iterator[Mode]:
    slow: dict[str, Behaviour] = {
        "silence": _dribble(b"", b""),
        "status line dribbles": _dribble(b"", b"H"),
        "headers dribble": _dribble(OK, b"X"),
        "body dribbles": _dribble(OK + b"Content-Length: 999999\r\n\r\n", b" "),
        "body without length dribbles": _dribble(OK + b"\r\n", b" "),
        "chunks dribble": _dribble(CHUNKED, b"1\r\n \r\n"),
        "a chunk's extension dribbles": _dribble(CHUNKED + b"1;", b"x"),
        "trailers dribble": _dribble(CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: y\r\n"),
        "gzip dribbles": _dribble(OK + b"Content-Encoding: gzip\r\n\r\n" + _gzip_head(), b"\0"),
        "endless 100 continue": _flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 99),
        "endless trailers": _flood(CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: y\r\n" * 999),
    }
    quick: dict[str, Behaviour] = {
        "endless headers": _flood(OK, b"X: y\r\n" * 999),
        "endless header line": _flood(OK + b"X: ", b"y" * 9_999),
        "endless status line": _flood(b"HTTP/1.1 200 ", b"y" * 9_999),
        "endless body": _flood(OK + b"\r\n", b" " * 65_536),
        "endless chunks": _flood(CHUNKED, b"1000\r\n" + b" " * 4096 + b"\r\n"),
        "chunk of a terabyte": _send(CHUNKED + b"FFFFFFFFFF\r\n{}"),
        "chunk of negative length": _send(CHUNKED + b"-5\r\n{}\r\n0\r\n\r\n"),
        "chunk length is no number": _send(CHUNKED + b"0x\xff\r\n{}"),
        "gzip bomb": partial(_gzip_bomb, 1),
        "gzip bomb in gzip": partial(_gzip_bomb, 2),
        "gzip bomb in nine": partial(_gzip_bomb, 9),
        "deflate bomb": _deflate_bomb,
        "gzip that is none": _encoded("gzip", bytes),
        "gzip cut short": _encoded("gzip", lambda body: gzip.compress(body)[:-9]),
        "encoding that nobody knows": _encoded("x-ray, gzip, y-ray", bytes),
        "length too long": partial(_wrong_length, 999),
        "length too short": partial(_wrong_length, -9),
        "negative length": _send(OK + b"Content-Length: -5\r\n\r\n{}"),
        "length is no number": _send(OK + b"Content-Length: 1e9\r\n\r\n{}"),
        "length of a petabyte": _send(OK + b"Content-Length: 999999999999999\r\n\r\n{}"),
        "two lengths": _two_lengths,
        "length and chunks": _send(
            OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
        ),
        "closes at once": _send(b""),
        "closes in the headers": _send(OK + b"Content-Le"),
        "closes in the body": _cut,
        "resets": lambda exchange: exchange.reset(),
        "resets in the body": _reset,
        "redirects to itself": partial(_redirect, "", 302),
        "redirects to another host": partial(_redirect, "http://192.0.2.1/x", 307),
        "redirects to a file": partial(_redirect, "file:///etc/passwd", 301),
        "redirects to nothing readable": partial(_redirect, "http://[::bad\x1b[2J", 308),
        "300 without location": _respond(b"", 300),
        "204": _send(b"HTTP/1.1 204 No Content\r\n\r\n"),
        "304": _send(b"HTTP/1.1 304 Not Modified\r\n\r\n"),
        "200 with HTML": _respond(b"<html><title>Sign in</title></html>" * 99),
        "empty body": _respond(b""),
        "400 for ever": partial(_echo, 400),
        "401 for ever": partial(_echo, 401),
        "403 for ever": partial(_echo, 403),
        "404 for ever": partial(_echo, 404),
        "418 with a long page": _respond(b"<p>\x1b[2J no \xff" * 40_000, 418),
        "429 without an end": partial(_echo, 429),
        "429 at once again": partial(_limited, "0"),
        "429 for 1e308 seconds": partial(_limited, "1e308"),
        "429 for 10**999 seconds": partial(_limited, "9" * 999),
        "429 for negative seconds": partial(_limited, "-5"),
        "429 for NaN": partial(_limited, "nan"),
        "429 until 9999": partial(_limited, "Fri, 31 Dec 9999 23:59:59 -2359"),
        "429 until no date": partial(_limited, "Foo, 99 Bar 99999999999 99:99:99 GMT"),
        "500 for ever": partial(_echo, 500),
        "503 for ever": partial(_limited_503),
        "599": _respond(b"\xff" * 999, 599),
        "status 999": _respond(b"{}", 999),
        "status 100 only": _send(b"HTTP/1.1 100 Continue\r\n\r\n"),
        "101 switching": _send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n\0\0"),
        "HTTP/0.9": _send(b"<html>0.9</html>"),
        "HTTP/2 preface": _send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\x04\0\0\0\0\0"),
        "HTTP/9.9": _send(b"HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
        "TLS alert": _send(b"\x15\x03\x01\x00\x02\x02\x46" + bytes(range(256))),
        "status is no number": _send(b"HTTP/1.1 OK 200\r\n\r\n{}"),
        "headers without colons": _send(OK + b"nonsense\x1b[2J\r\n" * 9 + b"\r\n{}"),
        "header of odd bytes": _send(
            OK + b"X-\xff\x00: \xfe\x1b[2J\r\nContent-Length: 2\r\n\r\n{}"
        ),
        "responds twice": _twice,
        "sets cookies": _cookies,
        "charset utf-16": _bad_charset("utf-16", '{"tracks": 1}'.encode("utf-16"), 200),
        "charset utf-7": _bad_charset("utf-7", b"+AHs-}", 200),
        "charset idna in an error": _bad_charset("idna", b"\xff.busy", 503),
        "charset rot13": _bad_charset("rot13", b"{}", 403),
        "NaN": _respond(b"NaN"),
        "JSON of depth": _respond(b"[" * 900_000),
        "objects of depth": _respond(b'{"tracks":' * 99_000 + b"1" + b"}" * 99_000),
        "huge integer": _respond(b'{"tracks": ' + b"9" * 5_000 + b"}"),
        "lone surrogate": _respond(rb'{"tracks": "\ud800", "\udfff": 1}'),
        "300,000 empty lists": _respond(b'{"tracks": [' + b"[]," * 300_000 + b"[]]}"),
        "200,000 keys": _respond(_many_keys(200_000)),
        "JSON string": _respond(b'"tracks"'),
        "JSON number": _respond(b"-1e9999"),
        "null": _respond(b"null"),
    }
    for name, behaviour in slow.items():
        yield Mode(name, behaviour, slow=True)
    for name, behaviour in quick.items():
        yield Mode(name, behaviour)


def _limited_503(exchange: Exchange) -> None:
    exchange.respond(b"busy " + ESCAPES.encode() * 999, 503, "Retry-After: 99999999\r\n")


def _gzip_head() -> bytes:
    return gzip.compress(b"")[:10]


def _many_keys(number: int) -> bytes:
    return b"{" + b",".join(b'"k%d":1' % n for n in range(number)) + b"}"


WRONG_VALUES: Final[tuple[Any, ...]] = (
    None,
    True,
    -1,
    10**400,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "9" * 5_000,
    ESCAPES,
    "\ud800",
    [],
    [None, 1, [], {}],
    {},
    {"id": {}, "name": [], "items": 5},
)


def distorted(document: Any) -> Iterator[Any]:
    """Yield copies of a document, each with one value replaced, or left out."""
    for path in _paths(document):
        for value in (*WRONG_VALUES, _distorted_away):
            copy = deepcopy(document)
            parent = copy
            for step in path[:-1]:
                parent = parent[step]
            if value is not _distorted_away:
                parent[path[-1]] = value
            elif isinstance(parent, dict):
                del parent[path[-1]]
            yield copy


_distorted_away: Final = object()


def _paths(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    steps: Any = ()
    if isinstance(document, dict):
        steps = document
    elif isinstance(document, list):
        steps = range(min(1, len(document)))
    for step in steps:
        yield (*path, step)
        yield from _paths(document[step], (*path, step))


def _document(change: Callable[[Exchange], Any]) -> Behaviour:
    def behave(exchange: Exchange) -> None:
        exchange.respond(json.dumps(change(exchange)).encode())

    return behave


def _shape(exchange: Exchange) -> Any:
    """Return the next of the wrong shapes of the whole response."""
    document = exchange.document
    if "tracks" in document and isinstance(document["tracks"], dict):
        document["tracks"]["items"] = document["tracks"]["items"][:1]
    if "recordings" in document:
        document["recordings"] = document["recordings"][:1]
    shapes = list(distorted(document))
    return shapes[exchange.number * 37 % len(shapes)]


def _items(exchange: Exchange, items: list[Any]) -> Any:
    """Return a search response with these items."""
    document = exchange.document
    document["tracks"]["items"] = items
    return document


@cache
def _wrong_tracks() -> list[Any]:
    return list(distorted(track(700)))


def _wrong_items(exchange: Exchange) -> Any:
    offset = int(exchange.parameters.get("offset", 0))
    wrong = _wrong_tracks()[offset : offset + 25]
    return _items(exchange, exchange.document["tracks"]["items"][:25] + wrong)


def _many_artists(exchange: Exchange) -> Any:
    artists = [{"name": f"A{n}"} for n in range(200_000)]
    return _items(exchange, [{**track(700), "artists": artists}, track(0)])


def _long_texts(exchange: Exchange) -> Any:
    long = "x" * 1_000_000
    items = [
        {**track(700), "name": long},
        {**track(701), "artists": [{"name": long}]},
        {**track(702), "album": {"name": long, "release_date": long}},
        {**track(703), "id": long, "popularity": long},
        {**track(704), "name": "x " * 990, "artists": [{"name": "\u0301" * 1_999}]},
        track(0),
    ]
    return _items(exchange, items)


def _escapes(exchange: Exchange) -> Any:
    items = [
        {**track(700 + n), "name": f"{ESCAPES}T{n}", "artists": [{"name": f"{ESCAPES}A{n}"}]}
        for n in range(20)
    ]
    return _items(exchange, [*items, track(0)])


def _more_than_limit(exchange: Exchange) -> Any:
    first = int(exchange.parameters.get("offset", 0)) + 1_000
    return _items(exchange, [track(first + n) for n in range(2_000)])


def _same_page(exchange: Exchange) -> Any:
    return _items(exchange, [track(n) for n in range(50)])


def _same_three_pages(exchange: Exchange) -> Any:
    first = exchange.number % 3 * 10
    return _items(exchange, [track(first + n) for n in range(50)])


def _unusable_pages(exchange: Exchange) -> Any:
    return _items(exchange, [{"type": "track", "name": "no id"}] * 50)


def _endless_pages(exchange: Exchange) -> Any:
    document = exchange.document
    document["tracks"]["total"] = 10**9
    return _items(exchange, [track(1_000 + exchange.number * 50 + n) for n in range(50)])


def _empty_pages(exchange: Exchange) -> Any:
    document = exchange.document
    document["tracks"]["total"] = 10**9
    return _items(exchange, [])


def _one_item_pages(exchange: Exchange) -> Any:
    document = exchange.document
    document["tracks"]["total"] = 10**9
    return _items(exchange, [track(exchange.number % 2)])


def _token(change: dict[str, Any], exchange: Exchange) -> None:
    exchange.respond(json.dumps({**exchange.document, **change}).encode())


TRANSPORT: Final = tuple(_transport())
"""For every endpoint."""

SHAPES: Final = Mode("wrong types at every field", _document(_shape))
"""For every endpoint; each request has another one."""

SEARCH: Final = (
    Mode("wrong types in tracks", _document(_wrong_items)),
    Mode("200,000 artists", _document(_many_artists)),
    Mode("texts of a million characters", _document(_long_texts)),
    Mode("escape sequences in names", _document(_escapes)),
    Mode("more items than the limit", _document(_more_than_limit)),
)
ENDLESS: Final = (
    Mode("same page at every offset", _document(_same_page)),
    Mode("same three pages", _document(_same_three_pages)),
    Mode("pages of unusable items", _document(_unusable_pages)),
    Mode("pages that never end", _document(_endless_pages)),
    Mode("total of empty pages", _document(_empty_pages)),
    Mode("pages of one item", _document(_one_item_pages)),
)

TOKENS: Final = tuple(
    Mode(name, partial(_token, change))
    for name, change in {
        "token is a number": {"access_token": 5},
        "token is null": {"access_token": None},
        "token is a list": {"access_token": ["a"]},
        "token is empty": {"access_token": ""},
        "token is long": {"access_token": TOKEN_START * 40_000},
        "token ends a line": {"access_token": f"{TOKEN_START}\r\nX-Other: {TOKEN_START}"},
        "token is not ASCII": {"access_token": f"{TOKEN_START}\u20ac\ud83d\ude00"},
        "token is a surrogate": {"access_token": f"{TOKEN_START}\ud800"},
        "token has escapes": {"access_token": f"{TOKEN_START}{ESCAPES}"},
        "token expires at once": {"expires_in": 0},
        "token expired long ago": {"expires_in": -(10**9)},
        "token never expires": {"expires_in": 10**300},
        "token expires never ever": {"expires_in": float("inf")},
        "token expires at NaN": {"expires_in": float("nan")},
        "token expires at a text": {"expires_in": "soon"},
        "token expires at a list": {"expires_in": [3600]},
        "token type is a list": {"token_type": [1]},
    }.items()
)
"""For the token endpoint."""
