// Package dataset finds, verifies and reads the labelled images on which the
// networks of [chaudhari2018] are trained.
//
//   - [MNIST7]: the whole of MNIST pooled to 7×7, within the program. The data of
//     small-fc and, as Digits(0, 1, 2, 3, 4), of tiny-fc.
//   - [MNIST]: the original 28×28 images from their four IDX files.
//   - [CIFAR10], [CIFAR100]: colour images from the binary version, unpacked or not.
//   - [Images]: the set itself, with subsets, choices of classes, mean pooling and
//     global contrast normalisation.
//   - [Whitening]: the ZCA filter fitted to a training set.
//   - [Augmentation]: random flips and crops, batch by batch.
//
// The shortest use:
//
//	train, test, err := dataset.MNIST7()
//
// # Conventions
//
// Images are float32, N×C×H×W row-major, rows from the top; a byte p of a file is
// the pixel p/255. Labels are 0..Classes−1. The order of the images is that of the
// files. A directory is always an argument, see [Dir] for the usual one; nothing
// here reads a variable of the environment other than those by which the operating
// system tells the cache directory.
//
// Files are checked by everything their format allows to check. Errors are one
// sentence that names the file and what to do. Misuse of a function, such as an index
// out of range, panics.
//
// # Paper and code
//
// [chaudhari2018] resizes MNIST to 7×7 by the default filter of a library of its
// time; here a pixel is the mean of a 4×4 square, which can be said in one
// sentence and computed exactly. App. E of the paper prepares CIFAR by contrast
// normalisation and whitening and says that nothing is augmented, while Fig. 2c is of
// augmented images; each step is a choice of the caller here, none is applied in
// reading.
//
// # Not here
//
// Downloading (package fetch), batches and their sampling (packages noise and sgd),
// and any network.
//
// References:
//
//	[chaudhari2018]  Chaudhari, Soatto. Stochastic gradient descent performs variational inference,
//	                 converges to limit cycles for deep networks. ICLR 2018.
package dataset
