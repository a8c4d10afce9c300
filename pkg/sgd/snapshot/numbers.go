package snapshot

// The names under which the long runs of package experiment keep their numbers. The means
// are over the steps of the epoch, each at the weights before its step; norms and products
// are over all d weights.
const (
	// BatchLoss is the mean of the batch losses, in nats.
	BatchLoss = "mean batch loss"
	// BatchGradientSquared is the mean of ‖∇f_b‖².
	BatchGradientSquared = "mean squared norm of the batch gradient"
	// WeightsDotBatchGradient is the mean of x·∇f_b. In a stationary chain without momentum
	// and with i.i.d. batches its average is η/2 times that of BatchGradientSquared.
	WeightsDotBatchGradient = "mean of x·batch gradient"
	// FullLoss is the loss over all samples at the end of the epoch, in nats; its gradient is
	// Epoch.Gradient.
	FullLoss = "full loss"
)
