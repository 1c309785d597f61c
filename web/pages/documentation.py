"""The documentation: the views and their columns, the words, what the metrics of models mean."""

from itertools import groupby
from typing import Final

from genrebase.store import views
from web.documents import glossary, glossary_introduction, plain
from web.metric_names import METRIC_NAMES
from web.page_sections import Page, Section, by_name
from web.pages import PageRequest
from web.problems import NotFound

SHOWN_ON: Final = {
    "catalogue_counts": "/",
    "data_sources": "/",
    "dispute_counts": "/disputes",
    "feature_importances": "/models",
    "genre_candidates": "/genres",
    "genre_confusions": "/models",
    "genre_overlaps": "/genres",
    "genre_profiles": "/map",
    "genre_progress": "/genres",
    "genre_separabilities": "/genres",
    "genre_traits": "/genres",
    "genre_trends": "/genres",
    "harvest_health": "/jobs",
    "label_disputes": "/disputes",
    "model_leaderboard": "/models",
    "model_metrics": "/models",
    "tracks": "/search",
}
"""The page that leads to what a view holds."""


def views_page(_request: PageRequest) -> Page:
    """Return the list of all views."""
    rows = tuple(
        (name, view.description, len(view.columns)) for name, view in sorted(views.ALL.items())
    )
    section = Section("views", ("view", "description", "columns"), rows)
    return Page("Views", "views.html", by_name(section))


def view_page(request: PageRequest) -> Page:
    """Return the columns of one view; raise `NotFound`."""
    name = request.path["view"]
    view = views.ALL.get(name)
    if view is None:
        raise NotFound(f"There is no view {name!r}. The page Views lists all of them.")
    rows = tuple(
        (column, str(view.table.c[column].type).lower(), description)
        for column, description in view.columns.items()
    )
    return Page(
        name,
        "view.html",
        by_name(Section("columns", ("column", "type", "description"), rows)),
        {
            "view": view,
            "example": f"SELECT * FROM {name} LIMIT 20",  # a name of ours
            "shown_on": SHOWN_ON.get(name),
        },
    )


def glossary_page(_request: PageRequest) -> Page:
    """Return what the words mean, by subject."""
    terms = glossary()
    rows = tuple((one.subject, one.word, plain(one.meaning)) for one in terms)
    subjects = [(subject, [*group]) for subject, group in groupby(terms, lambda one: one.subject)]
    section = Section("glossary", ("subject", "word", "meaning"), rows)
    facts = {"subjects": subjects, "introduction": glossary_introduction()}
    return Page("Glossary", "glossary.html", by_name(section), facts)


def metrics_page(_request: PageRequest) -> Page:
    """Return what each metric means."""
    rows = tuple(
        (name, metric.title, metric.meaning, metric.better)
        for name, metric in METRIC_NAMES.items()
    )
    columns = ("metric", "title", "meaning", "better")
    return Page("Metrics", "metrics.html", by_name(Section("metrics", columns, rows)))
