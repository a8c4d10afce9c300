package noise

import "fmt"

// MarshalText returns the name of the scheme, so that settings are readable as JSON. It
// fails for a value that is not a scheme.
func (s Sampling) MarshalText() ([]byte, error) {
	if !s.valid() {
		return nil, fmt.Errorf("noise: unknown sampling scheme %d", int(s))
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (s *Sampling) UnmarshalText(text []byte) error {
	for scheme := WithReplacement; scheme.valid(); scheme++ {
		if string(text) == scheme.String() {
			*s = scheme
			return nil
		}
	}
	return fmt.Errorf("noise: unknown sampling scheme %q: it is one of %q, %q, %q, %q", text, WithReplacement, WithoutReplacement, Reshuffled, IndexWalk)
}
