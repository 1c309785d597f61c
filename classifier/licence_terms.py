"""Conditions for publishing a model, from the licences of its labels and features. Pure.

The sentences summarise what the licences require; they are not legal advice.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from classifier.data_sources import SourceCount, TrainingSources
from genrebase import licences

TITLES: Final[Mapping[str, str]] = {
    "cc0": "CC0",
    "public-domain": "public domain",
    "odbl-1.0": "ODbL 1.0",
    "odc-by-1.0": "ODC-BY 1.0",
    "pddl-1.0": "PDDL 1.0",
    licences.TERMS: "the service's own terms",
    licences.UNKNOWN: "an unknown licence",
    licences.OWN: "your own annotations",
}
"""How licences are written in sentences; Creative Commons ones are in capital letters."""
_FREE: Final = ("cc0", "public-domain", "pddl-1.0")
_SHARE_ALIKE: Final = ("odbl-1.0",)
_CREDIT: Final = ("odbl-1.0", "odc-by-1.0")
NOT_ADVICE: Final = (
    "It is not settled whether a model is an adaptation of its training data; these sentences "
    "assume that it is. This is not legal advice."
)
_BY_CLASS: Final[Mapping[str, str]] = {
    licences.OWN: "They belong to those who gave them: ask them.",
    "open": "The model may be published and used for every purpose",
    "noncommercial": "Publish and use the model for non-commercial purposes only",
    "unknown": (
        "Nothing can be assumed: find out what the source allows before the model is published, "
        "or train without it (--licence open or noncommercial)."
    ),
    "restricted": (
        "Do not publish the model: the terms or the licence forbid training, or passing on what "
        "was made of the data. Train without it (--licence open or noncommercial). Rows may be "
        "published by their ids only (`classifier snapshot --ids-only`)."
    ),
}
_ROWS_OF_CLASS: Final[Mapping[str, str]] = {
    "noncommercial": "Pass on rows {} for non-commercial purposes only.",
    "unknown": "Before rows {} are passed on, find out what the source allows.",
    "restricted": "Do not pass on rows {}: at most their ids (`classifier snapshot --ids-only`).",
}
_SPOTIFY: Final = (
    "Spotify's Developer Terms forbid training models on Spotify content and passing it on."
)


def title(licence: str) -> str:
    """Return the name of a licence for a sentence: `CC BY-NC-SA 3.0`."""
    if licence in TITLES:
        return TITLES[licence]
    first, *elements = licence.upper().split("-")
    version = elements.pop() if elements and elements[-1][0].isdigit() else ""
    return " ".join(part for part in (first, "-".join(elements), version) if part)


def publishing_paragraphs(sources: TrainingSources) -> Iterator[str]:
    """Yield a paragraph per licence class, the most restrictive last; then `NOT_ADVICE`."""
    used = {"labels": sources.labels, "features": sources.features}
    for name in _BY_CLASS:
        of_class = {
            what: [one for one in counts if one.licence_class == name]
            for what, counts in used.items()
        }
        if any(of_class.values()):
            yield _paragraph(name, of_class)
    yield NOT_ADVICE


def passing_on(counts: Iterable[SourceCount]) -> Iterator[str]:
    """Yield a sentence for each class of rows with restrictions on their use."""
    listed = list(counts)
    for name, advice in _ROWS_OF_CLASS.items():
        of_class = [one for one in listed if one.licence_class == name]
        if of_class:
            yield advice.format(_licences_with_sources(of_class))


def _paragraph(name: str, of_class: Mapping[str, Sequence[SourceCount]]) -> str:
    subjects = [
        f"{what} {_licences_with_sources(counts)}" for what, counts in of_class.items() if counts
    ]
    subject = " and ".join(subjects)
    everything = [one for counts in of_class.values() for one in counts]
    sentence = _BY_CLASS[name]
    if name in ("open", "noncommercial"):
        sentence += _conditions(everything) + "."
    if any((one.source, one.licence) == ("spotify", licences.TERMS) for one in everything):
        sentence = f"{_SPOTIFY} {sentence}"
    return f"{subject[0].upper()}{subject[1:]}. {sentence}"


def _licences_with_sources(counts: Sequence[SourceCount]) -> str:
    """Return as in `under CC0 (discogs) and CC BY 4.0 (fma, jamendo)`."""
    by_licence: dict[str, list[str]] = {}
    for one in counts:
        by_licence.setdefault(one.licence, []).append(one.source)
    return "under " + " and ".join(
        f"{title(licence)} ({', '.join(dict.fromkeys(names))})"
        for licence, names in by_licence.items()
    )


def _conditions(counts: Sequence[SourceCount]) -> str:
    """Return the conditions of open and non-commercial licences, as the end of a sentence."""
    credited = dict.fromkeys(one.source for one in counts if _has(one.licence, "by", _CREDIT))
    shared = dict.fromkeys(
        title(one.licence) for one in counts if _has(one.licence, "sa", _SHARE_ALIKE)
    )
    conditions = [f"credit {', '.join(credited)}"] if credited else []
    if shared:
        conditions.append(f"share it alike ({', '.join(shared)})")
    return "".join(f"; {condition}" for condition in conditions) or ", without conditions"


def _has(licence: str, element: str, others: Sequence[str]) -> bool:
    return licence in others or (licence not in _FREE and element in licence.split("-"))
