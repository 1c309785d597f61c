"""Train genre classifiers on the database and store their predictions."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classifier.serving.champion import LoadedModel

__all__ = ["champion"]


def champion(url: str | None = None, *, task: str = "main") -> "LoadedModel":
    """Return the champion of `task` in the database at `url` (default: `STORE_URL`).

    Its `predict_proba(frame)` takes any frame with some of the views' columns. Raise `NoChampion`
    without one, `BrokenArtifact` if it cannot be used.
    """
    # scikit-learn is slow to import, and most commands need none
    from classifier.registry import stored_models
    from classifier.serving.champion import load
    from genrebase.store import connect, disposing

    with disposing(connect(url)) as database:
        return load(database, stored_models.champion(database, task))
