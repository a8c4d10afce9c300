// Package numtest holds what numerical tests of several packages share:
// comparators that print got, want and tolerance, random matrices with a
// prescribed spectrum, and the folder of the real data.
//
// Tolerances are absolute in [Close] and [CloseSlice], relative to max|want| in
// [RelSlice]. Every caller says in a comment where its tolerance comes from.
//
// It is for tests only and holds no golden files.
package numtest
