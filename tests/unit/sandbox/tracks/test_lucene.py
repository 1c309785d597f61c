"""The subset of Lucene's query syntax."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.tracks import lucene
from sandbox.tracks.lucene import Clause, Group, LuceneSyntaxError, Occurrence, Range, Term

MUST, MUST_NOT, SHOULD = Occurrence.MUST, Occurrence.MUST_NOT, Occurrence.SHOULD


def word(text, field="tag"):
    return Term(field, text, is_phrase=False)


def phrase(text, field="tag"):
    return Term(field, text, is_phrase=True)


@pytest.mark.parametrize(
    ("query", "clauses"),
    [
        ("tag:rock", [(SHOULD, word("rock"))]),
        ('tag:"hip hop"', [(SHOULD, phrase("hip hop"))]),
        ("tag:a tag:b", [(SHOULD, word("a")), (SHOULD, word("b"))]),
        ("tag:a OR tag:b", [(SHOULD, word("a")), (SHOULD, word("b"))]),
        ("tag:a AND tag:b", [(MUST, word("a")), (MUST, word("b"))]),
        ("tag:a && tag:b", [(MUST, word("a")), (MUST, word("b"))]),
        ("tag:a OR tag:b AND tag:c", [(SHOULD, word("a")), (MUST, word("b")), (MUST, word("c"))]),
        ("tag:a AND NOT tag:b", [(MUST, word("a")), (MUST_NOT, word("b"))]),
        ("tag:a -tag:b", [(SHOULD, word("a")), (MUST_NOT, word("b"))]),
        ("+tag:a !tag:b", [(MUST, word("a")), (MUST_NOT, word("b"))]),
        (r"tag:r\&b", [(SHOULD, word("r&b"))]),
        (r"tag:hip\ hop", [(SHOULD, word("hip hop"))]),
        (r'tag:"the \"new\" wave"', [(SHOULD, phrase('the "new" wave'))]),
        ("tag:hip-hop", [(SHOULD, word("hip-hop"))]),
        ("TAG:演歌", [(SHOULD, word("演歌"))]),
        ("firstreleasedate:[1990 TO *]", [(SHOULD, Range("firstreleasedate", "1990", None))]),
    ],
)
def test_queries_are_parsed_as_the_classic_parser_does(query, clauses):
    """AND requires both sides; a condition without a sign is optional."""
    assert lucene.parse(query) == Group(tuple(Clause(*clause) for clause in clauses))


def test_groups_nest_and_take_a_field():
    """A field before a parenthesis is that of its words."""
    inner = Group((Clause(SHOULD, word("rock")), Clause(SHOULD, phrase("hip hop"))))
    parsed = lucene.parse('tag:(rock OR "hip hop") AND (video:false)')
    video = Group((Clause(SHOULD, word("false", "video")),))
    assert parsed == Group((Clause(MUST, inner), Clause(MUST, video)))


@pytest.mark.parametrize(
    "query",
    [
        "", " ", "rock", '"rock"', "tag:", "tag:()", "tag:(rock", "tag:rock)", "AND tag:rock",
        "tag:rock AND", "tag:ro*", "tag:roc?", "tag:rock~", "tag:rock^2", "tag:rock/pop",
        'tag:"rock', "tag:rock:pop", "tag:-rock", "firstreleasedate:[1990]",
        "firstreleasedate:{1990 TO 1999}", "tag:rock NOT", "(" * 30 + "tag:a" + ")" * 30,
    ],
)  # fmt: skip
def test_what_is_outside_of_the_subset_is_refused(query):
    """Words without a field, wildcards, boosts, unfinished queries."""
    with pytest.raises(LuceneSyntaxError):
        lucene.parse(query)


@given(st.text(alphabet='tagAND OR:"()[]\\+-*', max_size=40))
def test_any_text_is_parsed_or_refused(query):
    """No other error than the parser's own."""
    with suppress(LuceneSyntaxError):
        assert lucene.parse(query).clauses
