// Package cached keeps the result of slow work between cells, kernels and programs.
//
//	run, err := cached.Value("small-fc training", settings, func() (*Run, error) {
//		return train(ctx, settings)
//	})
//
// The first call computes and stores the value; later calls with the same key read it
// back, bit for bit, at the speed of the disk. [List] shows what is kept, [Clear] forgets.
//
// # What a value depends on
//
// A value is found again only if all of this is as it was when it was stored:
//
//   - the name and the settings, compared with their types, so that two schedules of
//     equal fields differ; everything that decides the result belongs into the settings;
//   - the type of the value, field by field;
//   - the code: every Go, assembly and embedded file and the go.mod and go.sum of the
//     module that this package was compiled from, whatever package they are in;
//   - in a cell: the function that computes, and every declaration of the notebook that it
//     mentions, directly or through others; a function that comes in as a parameter makes
//     it the whole program of the cell;
//   - in a program outside of a cell and of the module: the program file itself;
//   - the Go version, the architecture, the build tags, and the choice of backend
//     (GOMLX_BACKEND, PJRT_PLUGIN_LIBRARY_PATH).
//
// So a value is never stale after an edit; at worst it is computed once more than needed.
// The code is identified by reading it, about 10 ms once per program. If a source file is
// newer than the program that runs, what is on disk is not what was compiled: then the
// program file itself identifies the code, and no other program shares the value.
//
// Not seen are changes of the outside world, such as data files: put their checksum into
// the settings. Values of variables that the function captures count only as far as they
// are in the settings.
//
// # What can be kept
//
// Numbers, strings, slices, arrays, maps, pointers and structs of exported fields, and
// types with MarshalBinary and UnmarshalBinary such as mat.Dense. Slices of numbers are
// stored as they lie in memory. Functions, channels, interfaces and unexported fields
// cannot be kept: Value says so before it computes.
//
// # Where
//
// In the folder SGDLAB_CACHE, or .lab/cache in the root of the module; in the user's cache
// folder if the module is in Go's read-only module cache. Files appear complete or not at
// all and carry a checksum; a damaged one is computed again with a message on standard
// error. Beyond 4 GiB the values that were not used for longest are removed. Two programs
// that need the same value at the same time compute it once. A folder that cannot be
// written costs the keeping, not the value.
//
// # Not here
//
// Results of experiments that are committed with the project: package experiment.
package cached
