"""Names and classes of licences, and how sources write them. Pure.

A name is written as in SPDX, in lower case and without a country: `cc-by-nc-sa-3.0`. A Creative
Commons licence whose version is not given has none: `cc-by-nc-sa`.
"""

import re
from typing import Final, Literal

LicenceClass = Literal["open", "noncommercial", "unknown", "restricted"]
"""`open`: every use. `noncommercial`: no commercial use. `restricted`: no derivatives, or terms
that forbid training. `unknown`: not stated or not recognised, so nothing can be assumed."""

UNKNOWN: Final = "unknown"
TERMS: Final = "terms"
"""The service's own terms, which do not allow training."""
OWN: Final = "own"
"""The licence of labels that people of this database gave; no source has it."""
NAMED: Final = ("cc0", "public-domain", "odbl-1.0", "odc-by-1.0", "pddl-1.0", TERMS, UNKNOWN)
"""All names but those of Creative Commons licences (`cc-by-4.0`)."""
CLASSES: Final[tuple[LicenceClass, ...]] = ("open", "noncommercial", "unknown", "restricted")
"""The least strict first: what a licence forbids stays forbidden beside an unknown one."""

OF_SOURCES: Final = {
    "spotify": TERMS,
    "musicbrainz": "cc-by-nc-sa-3.0",
    "musicbrainz-dump": "cc-by-nc-sa-3.0",
    "acousticbrainz": "cc0",
    "acousticbrainz-dump": "cc0",
    "discogs": "cc0",
    "fma": "cc-by-4.0",
    "mtg-jamendo": "cc-by-nc-sa-4.0",
}
"""The licence of a source's labels and features; that of any other source is unknown."""

_ELEMENTS: Final = ("by", "nc", "nd", "sa")
_CREATIVE_COMMONS: Final = re.compile(r"cc(-by)?(-nc)?(-nd|-sa)?(-[0-9]\.[0-9])?")
_ADDRESS: Final = re.compile(
    r"creativecommons\.org/(licenses|publicdomain)/([a-z+-]+)(/[0-9]\.[0-9])?"
)
_PUBLIC_DOMAIN_PATHS: Final = {"zero": "cc0", "mark": "public-domain", "certification": "cc0"}
_VERSION: Final = re.compile(r"\b[0-9]\.[0-9]\b")
_SHORT: Final = re.compile(r"cc((?: (?:by|nc|nd|sa))+)\b")
"""The elements of a licence by their abbreviations, after `cc`."""
_WORDS: Final = {
    "by": re.compile(r"\battribution\b"),
    "nc": re.compile(r"\bnon ?commercial\b"),
    "nd": re.compile(r"\bno ?deriv(s|ative|atives)?\b"),
    "sa": re.compile(r"\bshare ?alike\b"),
}
_IN_WORDS: Final = re.compile(r"(creative commons )?(attribution|non ?commercial|share ?alike)\b")
_WHOLE_NAMES: Final = (
    (re.compile(r"cc ?(0|zero)\b"), "cc0"),
    (re.compile(r"(cc )?(public domain|pddc)\b"), "public-domain"),
    (re.compile(r"odbl\b|open (data commons (open )?)?database licen[cs]e\b"), "odbl-1.0"),
    (re.compile(r"odc by\b|open data commons attribution\b"), "odc-by-1.0"),
    (re.compile(r"pddl\b"), "pddl-1.0"),
)


def parse_licence(text: str) -> str:
    """Return the name of a licence given as a name, an SPDX id or an address, or `unknown`.

    The version of a country gets the name of the international one. Licences without a name here
    (sampling, all rights reserved) are unknown.
    """
    spelled = text.strip().lower()
    if spelled in NAMED:
        return spelled
    address = _ADDRESS.search(spelled)
    if address is not None:
        kind, path, version = address.groups()
        if kind == "publicdomain" or path in ("publicdomain", "zero", "mark"):
            return _PUBLIC_DOMAIN_PATHS.get(path, "public-domain")
        return _creative_commons(set(path.split("-")), (version or "").strip("/"))
    words = re.sub(r"[-_\s]+", " ", spelled)
    if "sampling" in words or "rights reserved" in words:
        return UNKNOWN
    for pattern, name in _WHOLE_NAMES:
        if pattern.match(words):
            return name
    version_match = _VERSION.search(words)
    return _creative_commons(_elements(words), version_match[0] if version_match else "")


def is_licence(name: str) -> bool:
    """Return whether this is a licence name as the database stores it."""
    return name in NAMED or _is_creative_commons(name)


def licence_class(name: str) -> LicenceClass:
    """Return the class of a licence, by its name."""
    if name == TERMS:
        return "restricted"
    if name in NAMED:
        return "unknown" if name == UNKNOWN else "open"
    if not _is_creative_commons(name):
        return "unknown"
    elements = name.split("-")
    if "nd" in elements:
        return "restricted"
    return "noncommercial" if "nc" in elements else "open"


def is_allowed(name: str, allowed: str) -> bool:
    """Return whether a licence is among those that `open`, `noncommercial` or `any` allows."""
    return allowed == "any" or licence_class(name) in {"open", allowed}


def stricter(one: str | None, other: str | None) -> str | None:
    """Return the stricter of two licences, by class and then by name; None is no licence."""
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda name: (CLASSES.index(licence_class(name)), name))


def of_source(source: str) -> str:
    """Return the licence of a source's labels or of a provider's features."""
    return OF_SOURCES.get(source, UNKNOWN)


def _is_creative_commons(name: str) -> bool:
    return _CREATIVE_COMMONS.fullmatch(name) is not None and any(
        element in name.split("-") for element in _ELEMENTS
    )


def _elements(words: str) -> set[str]:
    """Return the elements of the Creative Commons licence at the start of a text."""
    short = _SHORT.match(words)
    if short is not None:
        return set(short[1].split())
    if _IN_WORDS.match(words) is None:
        return set()
    return {element for element, pattern in _WORDS.items() if pattern.search(words)}


def _creative_commons(elements: set[str], version: str) -> str:
    if not elements or not elements <= set(_ELEMENTS):
        return UNKNOWN
    parts = [element for element in _ELEMENTS if element in elements]
    name = "-".join(["cc", *parts, *([version] if version else [])])
    return name if _is_creative_commons(name) else UNKNOWN
