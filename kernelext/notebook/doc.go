// Package notebook runs Jupyter notebooks, compares their outputs and renders them as
// HTML pages, in pure Go: no Jupyter, no Python.
//
//	nb, err := notebook.ReadFile("notebooks/00_tour.ipynb")
//	spec, err := notebook.FindSpec("sgdlab", dataDir)
//	run, err := notebook.Run(ctx, nb, spec, nil)
//	err = run.Notebook.WriteFile("out/00_tour.ipynb")
//	page, err := notebook.Render(run.Notebook, nil)
//
// [Run] executes a notebook from top to bottom in a fresh kernel. [Kernel] is one kernel,
// for those who want to execute single cells; what goes over the wire is in package wire.
// [Notebook] is the file format, version 4; what is read and written again is the same,
// byte for byte, as what Jupyter writes.
//
// [Render] makes one page that needs no other file and no network; formulas are MathML,
// see package texmath. [Site] makes a page for each of several chapters and one that
// lists them.
//
// Notebooks are kept with their outputs, [Slim] to a bounded size, and a run is compared with
// them by [Compare]; [Keep] leaves alone what has not changed. [WithParameters] gives the
// parameters of a notebook other values for a run.
//
// # Tags
//
// Tags of a cell that this package knows; the first two are Jupyter's, the last is papermill's:
//
//	raises-exception  the cell may fail
//	skip-execution    the cell is not run and keeps its outputs
//	hide-input        the page shows the code when asked
//	cover             the list of chapters shows the cell's picture
//	varies            the outputs differ from run to run, or from machine to machine (times,
//	                  memory, names of processors), and are not compared
//	tolerance=0.05    numbers in the outputs may differ by a twentieth; see [Compare]
//	parameters        the cell declares parameters; see [WithParameters]
//
// # Processes
//
// A kernel and everything that it starts ends with [Kernel.Close], whether it likes to or
// not: GoNB, when killed, leaves the program of a cell and a language server behind. They
// are known by the kernel's own temporary folder, which their TMPDIR names, and which is
// removed. This needs a Unix. If the process that runs the notebook is itself killed with
// SIGKILL nobody is left to do it; on Linux the kernel then gets SIGTERM, which stops
// GoNB and what it has started, and no more than the folder stays behind.
//
// # Not here
//
// Widgets and input from the user: a cell that asks for input waits until its time is
// out. Installing kernels is the task of package kernelspec.
package notebook
