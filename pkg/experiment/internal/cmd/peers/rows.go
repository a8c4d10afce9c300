package main

// row is one problem: a benchmark of ours and scripts of peers that solve the same.
type row struct {
	name   string
	pkg    string // folder of our package
	bench  string // its benchmark, as -test.bench takes it
	unit   string // of the metric; "" means seconds per operation
	rate   bool   // larger is better
	once   bool   // takes so long that one operation is enough
	serial bool   // on one core
	target float64
	peers  []peer
}

// peer is a script; its number is the sum of the lines of the output with these names.
type peer struct {
	name  string
	needs string // the interpreter, a or b
	args  []string
	lines []string
}

// gradients, D, spectra, trajectories, the plane.
var rows = []row{
	gradients("small-fc", 1),
	gradients("small-lenet", 1.1),
	gradients("small-allcnn", 1),
	{
		name: "D of small-lenet, N = 6000", pkg: "pkg/experiment", bench: "BenchmarkDiffusion/small-lenet", once: true, target: 1,
		peers: []peer{dense("torch"), dense("scipy")},
	},
	{
		name: "eigenvalues, n = 3978", pkg: "pkg/spectrum/internal/dense", bench: "BenchmarkEigenvalues/n=3978", target: 1.5,
		peers: []peer{eigenvalues("torch", "3978"), eigenvalues("numpy", "3978")},
	},
	{
		name: "eigenvalues, n = 13338", pkg: "pkg/spectrum/internal/dense", bench: "BenchmarkEigenvalues/n=13338", once: true, target: 2,
		peers: []peer{eigenvalues("torch", "13338")},
	},
	{
		name: "top 100 of small-lenet, N = 6000", pkg: "pkg/experiment", bench: "BenchmarkTop100", once: true, target: 1,
		peers: []peer{top("eigsh-G"), top("rsvd-G")},
	},
	{
		name: "tiny-fc, steps of SGD, one core", pkg: "pkg/network", bench: "BenchmarkTinyChain/vectors/with_replacement", unit: "steps/s", rate: true, serial: true, target: 1.8,
		peers: []peer{{"JAX scan", "a", []string{"p3_sgd.py", "--peer", "jax-scan", "--threads", "1", "--n", "20000"}, []string{"sgd.jax-scan.tiny-fc.b128.t1"}}},
	},
	{
		name: "Langevin, 10⁴ paths × 10⁴ steps", pkg: "pkg/sde", bench: "BenchmarkEnsembleEX19", unit: "path-steps/s", rate: true, once: true, target: 1.5,
		peers: []peer{
			{"numba", "b", []string{"p5_sde.py", "--peer", "numba", "--reps", "3"}, []string{"sde.numba.M10000.S10000"}},
			{"JAX", "a", []string{"p5_sde.py", "--peer", "jax", "--reps", "3"}, []string{"sde.jax.M10000.S10000"}},
		},
	},
	steady("full D", "BenchmarkSteady256"),
	steady("diagonal D", "BenchmarkSteady256Diagonal"),
	{
		name: "implicit step, 128²", pkg: "pkg/fokkerplanck", bench: "BenchmarkImplicitStep128", target: 1,
		peers: []peer{{"FiPy", "b", []string{"p4_tensor.py", "--peer", "fipy", "--grid", "128"}, []string{"tensorFP.fipy.128x128.implicit_step"}}},
	},
}

// gradients compares per-sample gradients in batches of 128, as large as the peers like best.
func gradients(net string, target float64) row {
	r := row{
		name: "per-sample gradients, " + net, pkg: "pkg/network", bench: "BenchmarkPerSampleGradients/" + net + "/direct",
		unit: "samples/s", rate: true, target: target,
	}
	for _, p := range []struct{ name, option string }{{"JAX", "jax-lax"}, {"torch.compile", "torch-compile"}, {"torch.func", "torch-func"}} {
		r.peers = append(r.peers, peer{p.name, "a", []string{"p1_persample.py", "--peer", p.option, "--net", net}, []string{"persample." + p.option + "." + net + ".b128"}})
	}
	return r
}

// dense compares D including its gradients.
func dense(library string) peer {
	return peer{library, "a", []string{"p2_dense.py", "--peer", library, "--n", "6000", "--reps", "2"}, []string{"denseD." + library + ".small-lenet.N6000"}}
}

func eigenvalues(library, n string) peer {
	return peer{library, "a", []string{"p2_eig.py", "--lib", library, "--d", n, "--dtype", "f64"}, []string{"eigvalsh." + library + ".d" + n + ".f64"}}
}

// top finds the 100 largest eigenvalues of D including its gradients, to 10⁻⁴; we do to 10⁻⁶.
func top(method string) peer {
	return peer{method, "a", []string{"p2_topk.py", "--method", method, "--n", "6000", "--k", "100", "--reps", "1"}, []string{"topk." + method + ".small-lenet.N6000.k100"}}
}

// steady compares building and solving on 256² cells. fplanck takes diagonal D only.
func steady(what, bench string) row {
	const tag = "fplanck.example19.reflecting.256x256"
	return row{
		name: "steady state, 256², " + what, pkg: "pkg/fokkerplanck", bench: bench, target: 1,
		peers: []peer{{"fplanck, diagonal D", "b", []string{"p4_fplanck.py", "--case", "example19", "--grid", "256"}, []string{tag + ".build", tag + ".steady"}}},
	}
}
