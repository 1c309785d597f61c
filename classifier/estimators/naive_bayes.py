"""`naive_bayes`: a Gaussian per genre and feature, features taken as independent."""

from sklearn.naive_bayes import GaussianNB

from classifier.estimators.dataframe_classifier import numeric_factory

make = numeric_factory(
    lambda _seed, _threads: GaussianNB(var_smoothing=0.1),
    calibrate=True,
    impute=True,
    scaling="standard",
)
"""Gaussian naive Bayes. Features that depend on each other make it overconfident, so a temperature
is fitted on a hold-out, and every variance has a tenth of the largest added: the Gaussian of a
flag that is always 0 in a genre would have no width at all."""
