"""Eigenvalues of the covariance of the rows of a matrix, by NumPy.

    python3 eigenvalues.py gradients.npy eigenvalues.npy
"""

import sys

import numpy as np

g = np.load(sys.argv[1]).astype(np.float64)
centred = g - g.mean(axis=0)
np.save(sys.argv[2], np.linalg.eigvalsh(centred.T @ centred / len(g)))
