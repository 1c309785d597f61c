"""Boosted trees merged into one tree predict what scikit-learn predicts, to the last digit."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from classifier.experts import merged_trees

ROWS = 400


def table(categories: int) -> np.ndarray:
    """Return numbers with missing values; the last columns are categories."""
    random = np.random.default_rng(0)
    numbers = random.normal(size=(ROWS, 4)).astype(np.float32)
    codes = random.integers(3, 9, size=(ROWS, categories)).astype(np.float32)
    rows = np.hstack([numbers, codes])
    rows[random.random(rows.shape) < 0.2] = np.nan
    return rows


@pytest.mark.parametrize("genres", [2, 5])
@pytest.mark.parametrize("categories", [0, 2])
def test_equal_to_the_last_digit(genres, categories, monkeypatch):
    rows = table(categories)
    labels = (np.nan_to_num(rows).sum(axis=1) * 3).astype(int) % genres
    columns = list(range(4, 4 + categories))
    model = HistGradientBoostingClassifier(
        max_iter=7, categorical_features=columns or None, early_stopping=False
    ).fit(rows, labels)
    odd = rows.copy()
    odd[:, 4:] += 5  # some categories that the model has not seen
    for table_to_predict in (rows, odd):
        expected = model.predict_proba(table_to_predict[:90])
        assert np.array_equal(merged_trees.predict_proba(model, table_to_predict[:90]), expected)
        monkeypatch.setattr(merged_trees, "_MAX_VALUES", 1)  # one row at a time
        assert np.array_equal(
            merged_trees.predict_proba(model, table_to_predict[:9]), expected[:9]
        )
    assert np.array_equal(merged_trees.predict_proba(model, rows), model.predict_proba(rows))
