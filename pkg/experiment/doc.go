// Package experiment runs the experiments behind the figures from beginning to end, one
// function and one file for each: [T1Panel] for the opener, [GradientNoise] for Figs. 1
// and 2, [Trajectories] and [Fig3] for Fig. 3, [DataDiversity], [TrainingNoise] and [Architectures] for
// Remarks 14 to 16.
//
//	result, err := experiment.T1Panel(ctx, experiment.T1Quick())
//	err = result.Save("data/results/t1.json")
//
// A result is a [Record]: settings with the seed, numbers, the machine, wall times and the
// command that makes it again. Figures are drawn from results, never from a run, so that
// drawing again does not train again. Every experiment has full settings, whose result is
// committed under data/results, and quick ones that take seconds.
//
// # Conventions
//
// The same settings give the same numbers, whatever the number of workers; a network's last
// digits depend on the kind of processor besides. Eigenvalues are rounded to a few significant
// digits for the file, after everything was computed from them. Experiments print nothing;
// they report progress through a callback, and the long ones go on after being killed, from
// a folder that their settings name. Paths are never part of a result.
//
// # Not here
//
// Drawing (package figure; [SpectrumFigure] and [T1Figure] give it a result), claims and verdicts (package ledger), and the
// numerical work itself (packages network, sgd, noise, spectrum).
//
// References:
//
//	[chaudhari2018]  Chaudhari, Soatto. Stochastic gradient descent performs variational inference,
//	                 converges to limit cycles for deep networks. ICLR 2018.
package experiment

// Progress is told how far each stage of an experiment has come. A nil Progress is told
// nothing.
type Progress func(stage string, done, total int)

// of returns the progress of one stage, or nil.
func (p Progress) of(stage string) func(done, total int) {
	if p == nil {
		return nil
	}
	return func(done, total int) { p(stage, done, total) }
}
