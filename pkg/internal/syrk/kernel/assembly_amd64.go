//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

//go:generate go -C ../gen run . -out ../kernel/assembly_amd64.s -stubs ../kernel/stubs_amd64.go -pkg kernel

// assemblySets returns the kernels in assembly that this processor can run.
func assemblySets() []*Set {
	var sets []*Set
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL {
		sets = append(sets, &Set{
			Name:          "assembly AVX-512",
			MulTN32:       mulTN32AVX512,
			MulTN64:       mulTN64AVX512,
			MulNN64:       mulNN64AVX512,
			PanelStep:     panelStepAVX512,
			BandMulVec:    bandMulVecAVX512,
			BandReflect:   bandReflectAVX512,
			BandSymMulVec: bandSymMulVecAVX512,
			BandRankTwo:   bandRankTwoAVX512,
		})
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		sets = append(sets, &Set{
			Name:          "assembly AVX2",
			MulTN32:       mulTN32AVX2,
			MulTN64:       mulTN64AVX2,
			MulNN64:       mulNN64AVX2,
			PanelStep:     panelStepAVX2,
			BandMulVec:    bandMulVecAVX2,
			BandReflect:   bandReflectAVX2,
			BandSymMulVec: bandSymMulVecAVX2,
			BandRankTwo:   bandRankTwoAVX2,
		})
	}
	return sets
}
