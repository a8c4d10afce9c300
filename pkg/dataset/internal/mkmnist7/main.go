// Mkmnist7 makes the embedded MNIST: it reads the four files of MNIST, pools the
// images to 7×7 and writes train.bin and test.bin in the format of package pool7.
//
//	go run ./pkg/dataset/internal/mkmnist7 -from DIR -to data/mnist7
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"

	"sgdlab/pkg/dataset"
	"sgdlab/pkg/dataset/internal/pool7"
)

func main() {
	log.SetFlags(0)
	from := flag.String("from", "", "directory of MNIST, or its parent")
	to := flag.String("to", filepath.Join("data", "mnist7"), "directory to write to")
	flag.Parse()
	train, test, err := dataset.MNIST(*from)
	if err != nil {
		log.Fatal(err)
	}
	write(filepath.Join(*to, "train.bin"), train)
	write(filepath.Join(*to, "test.bin"), test)
}

func write(path string, im *dataset.Images) {
	packed := pool7.Encode(pool7.Sums(im.Pixels), im.Labels)
	if err := os.WriteFile(path, packed, 0o644); err != nil {
		log.Fatal(err)
	}
	log.Printf("%s: %d images, %d bytes", path, im.N, len(packed))
}
