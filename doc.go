// Package sgdlab is the root of a module that computes every statement and figure of
// "Stochastic gradient descent performs variational inference, converges to limit cycles for
// deep networks" (Chaudhari & Soatto, ICLR 2018). The library is below pkg, what knows Jupyter
// below kernelext, and the chapters are in notebooks; the tests here hold the arrows between
// them.
package sgdlab
