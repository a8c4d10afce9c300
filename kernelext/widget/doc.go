// Package widget puts sliders, choices and buttons below which a figure is drawn anew
// while its reader moves them.
//
//	lambda := widget.Slider("λ", 0, 1.5, 0.5, 16)
//	beta := widget.Choice("β", 1, 4)
//	widget.Draw(func() (show.Picture, error) {
//		return landscape(problem.EX19(lambda.Value()).AtBeta(beta.Value()))
//	}, lambda, beta)
//
// # Where nobody moves anything
//
// Every control has a default, and Draw first draws the figure with the defaults. In a
// program, a test, nbconvert, nbclient or the runner of this project that is all, at once:
// the cell ends, and its output is a picture with a line that says for which values. So it
// is in a saved or exported notebook.
//
// # In JupyterLab
//
// A cell is a program, and the controls live as long as it does. Draw returns when the
// reader presses "Done" or runs another cell, when nothing was touched for two minutes, when
// the cell is interrupted, or when the page does not answer within five seconds. In "Run All"
// other cells wait, so there the figure of the defaults stays at once. The figure and the
// line then show the last values, which [Select.Value] also returns to the rest of the cell;
// run it again to go on.
//
// Controls speak to the program through GoNB's channel in the page, which needs plain
// http and a server at the root of its address: behind JupyterHub or https the page does
// not answer, and the defaults stay. Of two notebooks in one browser tab the channel is
// with the one that opened it last.
//
// The package decides by JPY_SESSION_NAME, which Jupyter's server sets for the kernels of
// its pages, whether there is a page to ask.
//
// # Not here
//
// Figures that grow by themselves (show.Live).
package widget
