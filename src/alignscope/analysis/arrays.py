"""The type of arrays of numbers in all analyses."""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
