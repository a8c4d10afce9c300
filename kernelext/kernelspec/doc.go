// Package kernelspec makes the Jupyter kernel "Go (sgdlab)": stock GoNB, started inside
// the module that holds the notebook, with this project's build settings.
//
// Two kernels are installed:
//
//	sgdlab     "Go (sgdlab)"           XLA where its plug-in is set up, else GoMLX's Go backend
//	sgdlab-go  "Go (sgdlab, pure Go)"  never XLA; cells link faster
//
// A kernel is a folder with a kernel.json ([Install]) whose command is
//
//	sgdlab kernel launch {connection_file}
//
// in which [Launch] looks up the module, checks what a cell needs, and becomes GoNB. If
// something is missing it serves the kernel itself and answers every cell with one
// sentence that says what to do: Jupyter would show no more than "kernel died".
// [Doctor] checks the same things, and more, in a terminal.
//
// Everything lives in the folder .lab of the module ([Lab]); the user's own Jupyter
// folders change only by [Install] into [UserDataDir].
//
// The package needs a Unix. It knows nothing about notebooks; see kernelext/notebook.
package kernelspec
