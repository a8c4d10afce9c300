// Package spectrum finds the eigenvalues of symmetric matrices and says what they mean.
package spectrum
