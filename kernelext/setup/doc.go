// Package setup fills the folder .lab of a clone with what its cells, scripts and checks
// need: the tools of kernelext/tools, the Go modules, the XLA CPU plug-in, the two Jupyter
// kernels, a warm build cache and, on request, JupyterLab in a private Python environment.
// Nothing outside .lab changes but Go's own caches.
//
// [Run] does what is missing and is quick (well below a second) if nothing is. Each step
// ends with a rename, so that a step that is broken off leaves nothing half-installed. Its
// errors are one sentence with the remedy; what the programs said is in .lab/setup.log.
//
// XLA is optional: without python3 and pip, a C compiler, or a plug-in for the platform,
// cells use GoMLX's Go backend, and Run says so in one line.
package setup
