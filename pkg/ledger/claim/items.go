package claim

import "strings"

// Item is something the paper says, or an erratum found in it.
type Item struct {
	ID      string // as in "Lemma 7", "eq. (8)", "A.2", "E17"
	Claim   string // in one sentence
	Chapter string // file name of the chapter that treats it, without extension
}

// Items returns the items of the paper chapter by chapter, in the order of the paper, the
// errata (E1–E36) last in each chapter. The claim of an erratum says what was found; it
// carries the verdict of the claim it corrects.
func Items() []Item {
	var items []Item
	for _, c := range chapters {
		for _, it := range c.items {
			items = append(items, Item{ID: it[0], Claim: it[1], Chapter: c.file})
		}
	}
	return items
}

// Page is the list of all items, a file in the folder of the chapters.
const Page = "ITEMS.md"

// Address returns the place in [Page] where the item with the given ID stands, as a link in
// a chapter has it. Jupyter makes the name of a heading's place from its text in this way.
func Address(id string) string { return Page + "#" + strings.ReplaceAll(id, " ", "-") }

var chapters = []struct {
	file  string
	items [][2]string // ID, claim
}{
	{"01_minibatch_noise", [][2]string{
		{"eq. (1)", "The mini-batch gradient is the average of the per-sample gradients of the batch, and its mean is the full gradient."},
		{"Definition 1", "With replacement the variance of the mini-batch gradient is D(x)/b, with D of eq. (2), which is positive semi-definite."},
		{"A.1", "Derivation of var(∇f_b) = D/b for sampling with replacement."},
		{"A.2", "Without replacement the variance is (1/b)(1 − b/N) times (1/(N−1)) Σ gₖgₖᵀ − (1 − 1/(N−1)) ggᵀ."},
		{"E17", "In A.2 the sign must be plus: var(∇f_b) = (N−b)/(b(N−1))·D."},
		{"E18", "Reshuffling once per epoch is not the sampling of A.2: the batches of an epoch are correlated, and its noise nearly cancels."},
	}},
	{"02_continuous_time", [][2]string{
		{"Lemma 2", "The continuous-time limit of SGD is dx = −∇f dt + √(2β⁻¹D) dW with β⁻¹ = η/(2b)."},
		{"eq. (3)", "The stochastic differential equation of Lemma 2, in the sense of Itô."},
		{"(FP)", "The density of the weights obeys the Fokker–Planck equation ρ_t = ∇·(∇f ρ + β⁻¹ ∇·(Dρ))."},
		{"Assumption 3", "The steady state of the Fokker–Planck equation exists and is unique."},
		{"eq. (4)", "The steady state makes the right-hand side of the Fokker–Planck equation vanish."},
		{"E31", "A D of low rank needs a controllability condition for Assumption 3; rank one can suffice."},
		{"E33", "Eq. (3) is no limit of SGD but a model at finite η, of weak order one like the plain gradient flow."},
	}},
	{"03_potential_and_force", [][2]string{
		{"eq. (5)", "The potential is Φ = −β⁻¹ log ρss up to a constant."},
		{"eq. (6)", "The steady state is ρss = exp(−βΦ)/Z(β)."},
		{"eq. (7)", "The reversible equation with drift β⁻¹∇·D − D∇Φ has the same steady state."},
		{"eq. (8)", "The force is j = −∇f + D∇Φ − β⁻¹∇·D."},
		{"Assumption 4", "The force has no divergence, ∇·j = 0, eq. (9)."},
		{"App. B", "Assumption 4 is sufficient for the second law of thermodynamics."},
		{"App. C", "j ρss is free of divergence, and under Assumption 4 j is orthogonal to ∇Φ, eqs. (A3)–(A5)."},
		{"E5", "A factor β is missing before (A4): ∇·j = β j·∇Φ."},
		{"E25", "App. B treats only one part of the entropy production; the part that maintains the current is left out."},
		{"E26", "The sign of the current in (A3) contradicts j = J/ρss."},
	}},
	{"04_free_energy", [][2]string{
		{"Theorem 5", "F(ρ) = β⁻¹ KL(ρ‖ρss) decreases along the Fokker–Planck equation and converges to zero, eq. (10)."},
		{"eq. (11)", "F splits into the mean of Φ minus β⁻¹ times the entropy, up to a constant."},
		{"F.1", "Proof of Theorem 5 by the first variation, eqs. (A7) and (A8)."},
		{"E4", "Theorem 5 does not need Assumption 4, but strict decrease needs D ≻ 0 and convergence ergodicity."},
	}},
	{"05_isotropic_noise", [][2]string{
		{"Lemma 6", "The potential equals the loss if and only if D is a multiple of the identity, eq. (12)."},
		{"F.2", "Proof of Lemma 6."},
		{"E1", "For D = cI the potential is f/c, not f."},
		{"E2", "The converse of Lemma 6 is false: there are anisotropic D with Φ = f."},
		{"E3", "The force can vanish for anisotropic D: for constant D if and only if D commutes with every Hessian."},
	}},
	{"06_most_likely_trajectories", [][2]string{
		{"Lemma 7", "The force leaves F alone, and the most likely trajectories of SGD are closed, eq. (13)."},
		{"F.3", "Proof of Lemma 7 by splitting the generator, eqs. (A9)–(A11)."},
		{"E24", "No divergence does not make orbits closed from four dimensions on; they are no limit cycles and not the most likely paths."},
	}},
	{"07_variational_inference", [][2]string{
		{"Corollary 8", "For D = I the Fokker–Planck equation is the Wasserstein gradient flow of E f − β⁻¹H, (JKO)."},
		{"App. D", "The heat equation as a gradient flow in three ways, eq. (A6)."},
		{"(ELBO)", "SGD minimises an evidence lower bound with a uniform prior."},
		{"Remark 9", "The functional F is equivalent to the information bottleneck."},
		{"Remark 10", "A Gaussian prior in the ELBO conflicts with the one that SGD implies."},
		{"Remark 11", "The learning rate should scale with the batch size."},
		{"Remark 12", "Sampling with replacement regularises better than without, which has the temperature η/(2b)·(1 − b/N)."},
		{"E27", "(ELBO) needs the prior, not the posterior; its second step is an equality; mean and sum of losses are confused."},
		{"E28", "Remark 9 is an upper bound, not an equivalence."},
		{"E32", "The Dirichlet energy of App. D is not the total variation."},
	}},
	{"08_gradient_noise_of_networks", [][2]string{
		{"Fig. 1", "On MNIST D has a rank of 1.8 % (small-lenet) and 0.6 % (small-fc), and hardly changes during training."},
		{"Fig. 2", "On CIFAR the eigenvalues of D are larger, with ranks of 0.32 % to 0.47 %."},
		{"Remark 13", "The noise of SGD is largely independent of the weights."},
		{"Remark 14", "D is the less isotropic the more diverse the data are."},
		{"eq. (14)", "The inverse temperature should scale with the mean eigenvalue of D (Remark 15)."},
		{"Remark 15", "Dropout and other sources of noise are implicit in D."},
		{"Remark 16", "The variance of the eigenvalues of D informs the search for architectures."},
		{"E19", "The rank depends on the precision of the cut-off, and the printed means, deviations and ranks cannot belong to the same eigenvalues."},
		{"E20", "Equal spectra at three times do not make D constant: its eigenvectors may turn."},
		{"E21", "Eq. (1) fails with batch normalisation in training mode, and D in evaluation mode leaves out its noise and dropout's."},
		{"E35", "The weight counts of App. E are ambiguous; the published code settles them."},
		{"E36", "The comparisons of Remarks 14–16 change several things at once."},
	}},
	{"09_trajectories_of_networks", [][2]string{
		{"Fig. 3", "Weights of a network have low-frequency components, long correlations and large gradients after 10⁵ epochs."},
		{"Remark 17", "Low-frequency peaks in the trajectory are signs of the periodic motion of Lemma 7."},
		{"Lemma 7, nets", "SGD of a network is out of equilibrium, and its trajectories circulate, Lemma 7 on a network."},
		{"Remark 18", "The gradient stays large because the force keeps SGD away from critical points."},
		{"E22", "The null models of Fig. 3 are wrong: Brownian motion is correlated for long, and increments of a relaxing process rise with frequency."},
		{"E23", "A stationary gradient is large without any force: E‖∇f‖² = β⁻¹ E tr(D∇²f)."},
	}},
	{"10_limit_cycle", [][2]string{
		{"Example 19", "A double well with a rotational force has the steady state exp(−Φ) for every strength λ."},
		{"Fig. 4", "For large λ SGD converges to a limit cycle around the saddle point."},
		{"E6", "The force of Example 19 has divergence: the example violates Assumption 4."},
		{"E7", "The drift of Example 19 has curl: it is the gradient of no loss."},
		{"E8", "The most likely places are the same in all panels of Fig. 4, and the drift has no limit cycle."},
	}},
	{"11_near_a_critical_point", [][2]string{
		{"eq. (15)", "Near a critical point SGD is a linear equation with constant D."},
		{"Lemma 20", "Its matrix has a unique decomposition F = (D+Q)U, eq. (16)."},
		{"Remark 21", "The force turns the gradient field and moves the critical points, eq. (17)."},
		{"E15", "The decomposition exists and is unique only if no two eigenvalues of F add up to zero."},
		{"E16", "Lemma 20 is the linearisation of eq. (19) only at low temperature."},
	}},
	{"12_general_case", [][2]string{
		{"Theorem 22", "Q and Φ can be computed from ∇f and D, and Φ does not depend on β."},
		{"eq. (18)", "The Itô equation is equivalent to an A-type equation with drift −(D+Q)∇Φ."},
		{"eq. (19)", "∇f = (D+Q)∇Φ − β⁻¹∇·(D+Q)."},
		{"F.4", "Proof of Theorem 22, eqs. (A12)–(A17)."},
		{"Remark 23", "SGD may spend much of its time away from critical points."},
		{"Remark 24", "Theorem 22 agrees with the linear case."},
		{"Remark 25", "The effect can be large even for constant D."},
		{"Remark 26", "The departure from equilibrium grows with the temperature."},
		{"E9", "For constant D Assumption 4 forces the critical points of f and Φ to coincide."},
		{"E10", "The potential depends on β in general; for constant D it does not exactly if Assumption 4 holds."},
		{"E11", "(A13) lacks a divergence term, and its independence of the path is the equation for Q."},
		{"E12", "(A12) must read G⁻¹dx = …"},
		{"E13", "The steady state determines neither the Fokker–Planck equation nor Q."},
		{"E14", "The divergence of a matrix must be taken along rows, not columns."},
		{"E29", "Entropy production does not grow with the temperature."},
	}},
	{"13_discussion", [][2]string{
		{"Sec. 5.3", "Local entropy is out of equilibrium by construction and makes sharp minima exponentially less likely."},
		{"App. E", "The networks are trained with momentum 0.9."},
		{"E30", "SGD on the local entropy is an equilibrium process; the effect saturates in γ."},
		{"E34", "Momentum 0.9 means ten times the temperature of the theory, other covariances, and oscillations of its own."},
	}},
}
