"""What the classifier refuses, and why."""

from genrebase.errors import GenrebaseError, NothingToDo, UserError


class ClassifierError(GenrebaseError):
    """The classifier could not do what was asked."""


class TooFewTracks(UserError):
    """There is not enough to learn from."""


class BadTrainingConfig(UserError):
    """What was asked for cannot be trained."""


class BadParameter(UserError):
    """An estimator was given a parameter it does not have, or a value it cannot use."""


class NoChampion(UserError):
    """No model answers for this task yet."""


class UnknownModel(UserError):
    """There is no model of that number."""


class TrackNotFound(UserError):
    """There is no track of that id."""


class BrokenArtifact(ClassifierError):
    """A stored model cannot be used: damaged, tampered with, or answering otherwise than once."""


class TrainingTimeout(ClassifierError):
    """A training ran past its deadline and was ended."""


class BadSnapshot(UserError):
    """A snapshot that cannot be written there, or read from there."""


class SameTrainingRunning(NothingToDo):
    """Another process trains the very same thing."""


class ArtifactDropped(UserError):
    """A model that only its figures are left of."""


class MissingExtra(UserError):
    """An estimator was asked for whose libraries are not installed."""
