"""What the classifier refuses, and why."""

from genrebase.errors import GenrebaseError, NothingToDo, Refused


class ClassifierError(GenrebaseError):
    """The classifier could not do what was asked."""


class BadSettings(Refused):
    """A setting that cannot be used."""


class TooFewTracks(Refused):
    """There is not enough to learn from."""


class BadChoice(Refused):
    """What was asked for cannot be trained."""


class BadParameter(Refused):
    """An estimator was given a parameter it does not have, or a value it cannot use."""


class NoChampion(Refused):
    """No model answers for this task yet."""


class UnknownModel(Refused):
    """There is no model of that number."""


class UnknownTrack(Refused):
    """There is no track of that id."""


class BrokenArtifact(ClassifierError):
    """A stored model cannot be used: damaged, tampered with, or answering otherwise than once."""


class TookTooLong(ClassifierError):
    """A training ran past its deadline and was ended."""


class BadSnapshot(Refused):
    """A snapshot that cannot be written there, or read from there."""


class SameUnderWay(NothingToDo):
    """Another process trains the very same thing."""


class NoArtifact(Refused):
    """A model that only its figures are left of."""


class MissingExtra(Refused):
    """An estimator was asked for whose libraries are not installed."""
