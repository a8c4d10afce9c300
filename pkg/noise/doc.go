// Package noise is about the gradient noise of stochastic gradient descent.
package noise
