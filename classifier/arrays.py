"""Types of arrays; the shapes are in the docstrings of functions and fields."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
"""Which rows or columns are meant."""
Ids = NDArray[np.int64]
Codes = NDArray[np.intp]
"""Places in a sorted list of names, such as the genres."""
