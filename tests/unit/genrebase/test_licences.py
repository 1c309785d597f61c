"""Licences: how sources spell them, and what they allow."""

import pytest

from genrebase import licences


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("http://creativecommons.org/licenses/by-nc-nd/3.0/", "cc-by-nc-nd-3.0"),
        ("https://creativecommons.org/licenses/by-nc-sa/3.0/", "cc-by-nc-sa-3.0"),
        ("http://www.creativecommons.org/licenses/by-nc-sa/2.0/de/deed.de", "cc-by-nc-sa-2.0"),
        ("HTTPS://CREATIVECOMMONS.ORG/licenses/by/4.0", "cc-by-4.0"),
        ("creativecommons.org/licenses/by-sa", "cc-by-sa"),
        ("http://creativecommons.org/licenses/by-nd-nc/1.0/", "cc-by-nc-nd-1.0"),
        ("http://creativecommons.org/publicdomain/zero/1.0/", "cc0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "public-domain"),
        ("http://creativecommons.org/licenses/publicdomain/", "public-domain"),
        ("http://creativecommons.org/licenses/sampling+/1.0/", "unknown"),
        ("https://example.org/licenses/by/4.0/", "unknown"),
        ("CC0-1.0", "cc0"),
        ("CC0 1.0 Universal", "cc0"),
        ("CC-BY-NC-SA-3.0", "cc-by-nc-sa-3.0"),
        ("cc by-nc-nd 4.0", "cc-by-nc-nd-4.0"),
        ("ODbL-1.0", "odbl-1.0"),
        ("PDDL-1.0", "pddl-1.0"),
        ("Public Domain", "public-domain"),
        ("terms", "terms"),
        ("Attribution", "cc-by"),
        ("Attribution-NonCommercial-ShareAlike 3.0 International", "cc-by-nc-sa-3.0"),
        ("Attribution-Noncommercial-Share Alike 2.0 UK: England ", "cc-by-nc-sa-2.0"),
        ("Attribution-Noncommercial-No Derivative Works 3.0 Germany", "cc-by-nc-nd-3.0"),
        ("Attribution-NoDerivs 2.5 Canada", "cc-by-nd-2.5"),
        (
            "Attribution-NonCommercial-NoDerivatives (aka Music Sharing) 3.0 International",
            "cc-by-nc-nd-3.0",
        ),
        ("Creative Commons Attribution", "cc-by"),
        ("Noncommercial Sampling Plus", "unknown"),
        ("All rights reserved", "unknown"),
        ("Attribution, all rights reserved", "unknown"),
        ("by the artist", "unknown"),
        ("not cc by", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_licence_is_named_alike_however_it_is_spelled(text: str, name: str) -> None:
    """Addresses with and without a country, SPDX ids and names in words give one name."""
    assert licences.parse_licence(text) == name
    assert licences.is_licence(name)
    assert licences.parse_licence(name) == name


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("cc0", "open"),
        ("public-domain", "open"),
        ("cc-by-4.0", "open"),
        ("cc-by", "open"),
        ("cc-by-sa-3.0", "open"),
        ("odbl-1.0", "open"),
        ("pddl-1.0", "open"),
        ("cc-by-nc-sa-3.0", "noncommercial"),
        ("cc-by-nc", "noncommercial"),
        ("cc-by-nc-nd-4.0", "restricted"),
        ("cc-by-nd-4.0", "restricted"),
        ("terms", "restricted"),
        ("unknown", "unknown"),
        ("cc", "unknown"),
        ("mit", "unknown"),
    ],
)
def test_a_class_says_what_a_licence_allows(name: str, allowed: str) -> None:
    """A name that is none of ours allows nothing for certain."""
    assert licences.licence_class(name) == allowed


@pytest.mark.parametrize(
    ("one", "other", "stricter"),
    [
        ("cc0", "cc-by-nc-4.0", "cc-by-nc-4.0"),
        ("cc-by-nc-nd-3.0", "cc-by-nc-4.0", "cc-by-nc-nd-3.0"),
        ("terms", "unknown", "terms"),
        ("cc-by-3.0", "cc-by-4.0", "cc-by-4.0"),
        (None, "cc0", "cc0"),
        (None, None, None),
    ],
)
def test_the_stricter_licence_counts(one, other, stricter) -> None:
    """By class and then by name, whichever comes first."""
    assert licences.stricter(one, other) == licences.stricter(other, one) == stricter


def test_the_licences_of_sources_are_names_of_ours() -> None:
    """A source that is not listed has an unknown licence."""
    assert all(licences.is_licence(name) for name in licences.OF_SOURCES.values())
    assert licences.of_source("spotify") == "terms"
    assert licences.of_source("csv:tracks.csv") == "unknown"
