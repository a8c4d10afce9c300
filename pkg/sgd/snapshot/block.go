package snapshot

import (
	"encoding/binary"
	"hash/crc32"
	"math"
)

// block is the bytes of one epoch.
type block []byte

// good reports whether b is the block of the given epoch, undamaged.
func (b block) good(epoch int) bool {
	body := b[:len(b)-4]
	return crc32.Checksum(body, castagnoli) == binary.LittleEndian.Uint32(b[len(body):]) && b.epoch() == uint64(epoch)
}

func (b block) epoch() uint64 { return binary.LittleEndian.Uint64(b) }

func (b block) setEpoch(epoch int) { binary.LittleEndian.PutUint64(b, uint64(epoch)) }

// seal completes b with its checksum.
func (b block) seal() {
	body := b[:len(b)-4]
	binary.LittleEndian.PutUint32(b[len(body):], crc32.Checksum(body, castagnoli))
}

func putFloat32s(dst []byte, a []float64) {
	for i, v := range a {
		binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(float32(v)))
	}
}

func float32sTo(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
}

func putFloat64s(dst []byte, a []float64) {
	for i, v := range a {
		binary.LittleEndian.PutUint64(dst[8*i:], math.Float64bits(v))
	}
}

func float64sTo(dst []float64, src []byte) {
	for i := range dst {
		dst[i] = math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:]))
	}
}
