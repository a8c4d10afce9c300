// Package problem holds finite sums f(x) = (1/N) Σₖ fₖ(x) with closed forms.
package problem
