package noise_test

import (
	"encoding/json"
	"testing"

	"sgdlab/pkg/noise"
)

func TestSamplingText(t *testing.T) {
	for _, want := range schemes {
		data, err := json.Marshal(want)
		if err != nil || string(data) != `"`+want.String()+`"` {
			t.Errorf("%v: wrote %s, %v", want, data, err)
		}
		got := noise.Sampling(-1)
		if err := json.Unmarshal(data, &got); err != nil || got != want {
			t.Errorf("read %v, %v, want %v", got, err, want)
		}
	}
	if _, err := json.Marshal(noise.Sampling(4)); err == nil {
		t.Error("an unknown scheme was written")
	}
	var s noise.Sampling
	if err := json.Unmarshal([]byte(`"often"`), &s); err == nil {
		t.Error("an unknown scheme was read")
	}
}
