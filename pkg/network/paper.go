package network

// SmallFC returns small-fc, the network of Fig. 1b: 7×7 MNIST, one hidden layer of 64
// units with batch norm and ReLU, 10 classes; 3,978 weights.
//
// NOTE: the text of the paper can be read as two hidden layers (8,266 weights); this
// is the network of the authors' published code (erratum E35).
//
//	a := network.SmallFC()
//	x, stats := a.Init(rand.NewPCG(42, 0)) // x has length 3,978
func SmallFC() Architecture { return fullyConnected("small-fc", 64, 10) }

// TinyFC returns tiny-fc, the network of Fig. 3: as [SmallFC] with 16 hidden units and
// the 5 classes of the digits 0–4; 917 weights.
//
//	a := network.TinyFC()
//	x, stats := a.Init(rand.NewPCG(42, 0)) // x has length 917
func TinyFC() Architecture { return fullyConnected("tiny-fc", 16, 5) }

func fullyConnected(name string, hidden, classes int) Architecture {
	return Architecture{
		Name: name, Channels: 1, Height: 7, Width: 7,
		Layers: []Layer{Flatten{}, Dense{hidden}, BatchNorm{}, ReLU{}, Dense{classes}},
	}
}

// SmallLeNet returns small-lenet, the network of Fig. 1a: 28×28 MNIST, two 5×5
// convolutions with batch norm, ReLU and max-pooling, and two dense layers; 13,338
// weights. dropout is its probability: 0.1 in the paper, 0.25 by default in the
// authors' code.
func SmallLeNet(dropout float64) Architecture {
	return Architecture{
		Name: "small-lenet", Channels: 1, Height: 28, Width: 28,
		Layers: []Layer{
			Conv2D{Out: 8, Kernel: 5}, BatchNorm{}, ReLU{}, MaxPool{3}, Dropout{dropout},
			Conv2D{Out: 16, Kernel: 5}, BatchNorm{}, ReLU{}, MaxPool{2}, Dropout{dropout},
			Flatten{}, Dense{128}, BatchNorm{}, ReLU{}, Dropout{dropout},
			Dense{10},
		},
	}
}

// SmallAllCNN returns small-allcnn, the network of Fig. 2 for 32×32 colour images: nine
// convolutions with batch norm and ReLU, the last 1×1, and global average pooling;
// 26,982 weights for 10 classes, 29,412 for 100. dropout is its probability, 0 in the
// authors' variant of this size.
func SmallAllCNN(classes int, dropout float64) Architecture {
	var layers []Layer
	conv := func(c Conv2D) { layers = append(layers, c, BatchNorm{}, ReLU{}) }
	conv(Conv2D{Out: 12, Kernel: 3, Pad: 1})
	conv(Conv2D{Out: 12, Kernel: 3, Pad: 1})
	conv(Conv2D{Out: 12, Kernel: 3, Pad: 1, Stride: 2})
	layers = append(layers, Dropout{dropout})
	conv(Conv2D{Out: 24, Kernel: 3, Pad: 1})
	conv(Conv2D{Out: 24, Kernel: 3, Pad: 1})
	conv(Conv2D{Out: 24, Kernel: 3, Pad: 1, Stride: 2})
	layers = append(layers, Dropout{dropout})
	conv(Conv2D{Out: 24, Kernel: 3, Pad: 1})
	conv(Conv2D{Out: 24, Kernel: 3, Pad: 1})
	conv(Conv2D{Out: classes, Kernel: 1})
	layers = append(layers, AvgPool{8}, Flatten{})
	return Architecture{Name: "small-allcnn", Channels: 3, Height: 32, Width: 32, Layers: layers}
}
