// Package texmath turns the mathematics of LaTeX into MathML, which browsers draw by
// themselves, without fonts or scripts from a network.
//
//	page, err := texmath.MathML(`\frac{1}{N}\sum_k g_k g_k^\top`, true)
//
// It knows the part of LaTeX and amsmath that formulas in notebooks use: fractions,
// roots, scripts, Greek, operators and relations, named functions, accents, delimiters
// of all sizes, text, alphabets, spaces, and the environments for matrices, cases and
// aligned lines. [MathML] returns an error for anything else, and the caller shows the
// source instead.
//
// The spaces between symbols are those of TeX: a symbol has a class (ordinary, operator,
// binary, relation, opening, closing, punctuation), which its neighbours may change, as
// in "a − b" and "−b".
//
// Macros cannot be defined, and nothing is numbered.
package texmath
