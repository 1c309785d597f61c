"""The errors of the classifier."""

from genrebase.errors import GenrebaseError, UserError


class ClassifierError(GenrebaseError):
    """An error of the classifier."""


class TooFewTracks(UserError):
    """Too few labelled tracks to train on."""


class BadTrainingConfig(UserError):
    """A training config that cannot be used."""


class BadParameter(UserError):
    """An estimator was given a parameter it does not have, or a value it cannot use."""


class NoChampion(UserError):
    """The task has no champion yet."""


class BrokenArtifact(ClassifierError, UserError):
    """A stored model is damaged, was changed, or no longer reproduces its predictions.

    A refusal: nothing was changed, and the message says what to do.
    """


class MissingExtra(UserError):
    """The libraries of an estimator are not installed."""
