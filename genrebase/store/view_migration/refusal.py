"""The sentences with which an upgrade stops."""

from collections.abc import Mapping, Sequence

from genrebase.store.errors import ViewConflict


def not_restored(reasons: Mapping[str, str]) -> ViewConflict:
    """Return the refusal that names what could not be put back, each with the reason."""
    listed = "; ".join(f"{name} ({reason})" for name, reason in sorted(reasons.items()))
    return ViewConflict(
        f"Nothing was changed: this could not be kept through the migration: {listed}. "
        "Drop it, migrate, and create it again."
    )


def names_taken(names: Sequence[str]) -> ViewConflict:
    """Return the refusal for views that carry a name of ours and are not ours."""
    listed = ", ".join(sorted(names))
    return ViewConflict(
        f"Nothing was changed: Genrebase needs the name of a view that it did not make: {listed}. "
        "Rename that view and migrate again."
    )
