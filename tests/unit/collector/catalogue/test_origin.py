import pytest

from collector.catalogue.origin import SPOTIFY, Origin, admit, of_sandbox
from collector.errors import OtherCatalogue

INVENTED = of_sandbox({"kind": "synthetic", "detail": "seed 1", "sha256": "ab"}, "http://x")
FILE = of_sandbox({"kind": "file", "detail": "mine.csv", "sha256": "cd"}, "http://x")


def test_a_sandbox_says_what_it_serves() -> None:
    """Kind, detail and checksum make the origin; the address does not matter."""
    assert Origin("synthetic", "seed 1, sha256:ab") == INVENTED
    assert INVENTED.checksum == "ab"
    assert str(INVENTED) == "the invented catalogue (seed 1)"


@pytest.mark.parametrize("document", [None, [], {}, {"kind": "spotify"}, {"kind": "file"}])
def test_what_is_no_sandbox_is_other(document: object) -> None:
    """An API that does not say what it serves is known by its address."""
    assert of_sandbox(document, "http://x") == Origin("other", "http://x")


def test_the_first_catalogue_is_written_down() -> None:
    """A database without an origin takes any, and the same one from then on."""
    for asked in (SPOTIFY, INVENTED, FILE, Origin("other", "http://x")):
        assert admit(None, asked, None)
        assert not admit(asked, asked, None)


def test_a_renamed_file_is_the_same() -> None:
    """The checksum decides, not the name."""
    renamed = of_sandbox({"kind": "file", "detail": "b.csv", "sha256": "cd"}, "http://x")
    assert not admit(FILE, renamed, None)


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        (SPOTIFY, INVENTED),
        (INVENTED, SPOTIFY),
        (INVENTED, FILE),
        (FILE, SPOTIFY),
        (INVENTED, of_sandbox({"kind": "synthetic", "detail": "seed 2", "sha256": "e"}, "")),
        (Origin("other", "http://x"), Origin("other", "http://y")),
    ],
)
def test_another_catalogue_is_refused(stored: Origin, asked: Origin) -> None:
    """The invented and the real never meet; the sentence names both and says what to do."""
    with pytest.raises(OtherCatalogue, match="STORE_URL") as caught:
        admit(stored, asked, None)
    assert caught.value.exit_code == 2
    assert str(stored) in str(caught.value)
    assert str(asked) in str(caught.value)


def test_the_invented_does_not_join_imports() -> None:
    """An invented catalogue does not go into a database that holds imported tracks."""
    with pytest.raises(OtherCatalogue, match=r"csv:mine\.csv"):
        admit(None, INVENTED, "csv:mine.csv")
    assert admit(None, SPOTIFY, "csv:mine.csv")
    assert admit(None, FILE, "csv:mine.csv")
