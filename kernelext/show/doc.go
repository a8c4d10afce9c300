// Package show puts results into a notebook cell: titles, Markdown, formulas,
// figures (also such that grow during a run), tables, heat maps, verdicts, progress and
// errors.
//
//	show.Title("8. Gradient noise of networks")
//	show.Figure(show.Must(figure.GradientNoiseSpectra(spectra)))
//	show.Table(rows, "Our numbers beside the paper's")
//
// Outside a notebook the same calls print plain text to standard output, so that code
// moves between cells, programs and tests unchanged. Nothing here waits for the front
// end: a headless run ends. Every output has reached the kernel when its function
// returns (GoNB loses displays that are still on their way when a cell ends), and every
// output carries a plain-text form besides the rich one.
//
// Environment variables, set by the kernel or the runner of notebooks:
//
//	SGDLAB_FULL=1     the long settings of a chapter, see [Full]
//	SGDLAB_DATA       the folder of the real data, see [Data]
//	SGDLAB_FIGURES    a folder into which [Figure] also writes SVG, PDF and PNG files
//
// The package imports neither GoMLX nor gonum: a cell that only shows text links fast.
// [Figure] takes anything that can encode itself, such as a *figure.Picture.
//
// Importing it also keeps log lines of klog from crashing the kernel (GoNB 0.11.5 stops
// at lines with a time followed by "main.go:" and a number).
//
// # Not here
//
// Sliders and choices (package widget), values kept between cells (package cached).
package show
