// Package snapshot keeps the trajectory of a long run on disk: after every epoch the
// weights, the full gradient and a few numbers, in one file that survives the death of its
// writer.
//
//	w, err := snapshot.Create("run.snap", header)
//	err = w.Append(epoch, x, g, numbers)   // once an epoch
//
//	r, err := snapshot.Open("run.snap")
//	err = r.Each(0, r.Epochs(), func(e snapshot.Epoch) error { … e.Weights … })
//	err = r.WeightColumnsTo(columns, 0, 64) // 64 weights as series, for a Fourier transform
//
// # Format
//
//	sgdlab snapshots 1 BYTES\n           BYTES is the length of the next line
//	header as JSON on one line\n
//	CRC-32C of the two lines             8 hexadecimal digits, \n
//	one block per epoch:
//	    epoch                            uint64, counting from 1
//	    weights                          d × float32
//	    gradient                         d × float32
//	    numbers                          k × float64
//	    CRC-32C of the block so far      uint32
//
// All numbers are little endian. Blocks have the same size and follow each other without
// gaps, 10⁵ epochs of 917 weights take 740 MB. The weights of a run are float64; the file
// keeps them, and the gradients, rounded to float32.
//
// # Damage
//
// A block is written in one call, so that a killed process leaves a torn block at the end
// at most. [Open] reads the whole file once, stops before the first block that is torn or
// whose checksum differs, and says so in [Reader.Damage]; everything before is good.
// [Create] goes on after the last good block. It refuses a file of another run and names
// what differs, and a block that contradicts one that is there already: the epochs that a
// resumed run repeats must come out with the same bits.
//
// # Not here
//
// What can be read from a trajectory (package trajectory), and the runs that write them
// (package experiment). The numbers of an epoch have names in the [Header]; those of the
// long runs are the constants of this package, such as [BatchLoss].
package snapshot
