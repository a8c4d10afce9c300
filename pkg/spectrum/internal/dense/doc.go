// Package dense finds all eigenvalues of a dense symmetric matrix, fast: in two stages,
// by way of a band. One stage, as in LAPACK's Dsyev and gonum's mat.EigenSym, does half
// of its work in products of the whole matrix with one vector, at the speed of memory;
// here nearly all is products of 48×48 tiles.
//
// # Stages
//
//	 A, n×n            B, half width 48       T, tridiagonal      λ, ascending
//	■                  ■                      ■
//	■ ■                ■ ■                    ■ ■
//	■ ■ ■        ▶       ■ ■            ▶       ■ ■         ▶     Dsterf of gonum
//	■ ■ ■ ■                ■ ■                    ■ ■             (QR iteration)
//	■ ■ ■ ■ ■                ■ ■                    ■ ■
//	     reduce.go              chase.go
//	     4n³/3 operations       6·48·n² operations   ~10n² operations
//
// The first stage goes over the columns of tiles, in three steps each:
//
//	    c                  panel.go: the panel P under the diagonal tile is QR,
//	┌──┐                   Q = I − VTVᵀ; R stays, in the band
//	│  │                   multiply:  Y = AV
//	├──┼──┐                prepare:   X = YT − ½V·Tᵀ(Vᵀ(YT))
//	│R │  │                then QᵀAQ = A − VXᵀ − XVᵀ
//	├──┼──┼──┐
//	│  │  │  │             The update is put off and done together with the
//	│P │  A  │             multiplication for the next panel, while a tile is at hand:
//	│  │  │  │             the matrix goes through the processor once per panel,
//	└──┴──┴──┘             not three times.
//
// The second stage chases bulges along the band (the picture is with chase).
//
// # Layout
//
// The lower triangle becomes 48×48 tiles, each contiguous and row-major, in the memory
// of the argument; see [sgdlab/pkg/internal/syrk/kernel] for what runs on them. In the
// band, entry (i, j) is element i + 104·j, so that every 48×48 block of it is a
// column-major matrix.
//
// # Conventions
//
// Eigenvalues are ascending. Errors are absolute: about n·2⁻⁵²·‖A‖₂ at most. Results
// do not depend on the number of workers, bit for bit; they do depend, within round-off,
// on the kernels that the processor can run ([Kernels]).
//
// # What it does not do
//
// No eigenvectors, no part of the spectrum, no high relative accuracy of small
// eigenvalues.
package dense
