// Package dataset holds labelled images: MNIST and CIFAR.
package dataset
