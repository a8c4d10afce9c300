package network

import (
	"reflect"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// GoMLX v0.28.1 has no gradient for Pad, which is what the gradient of Slice consists of;
// without it there is no Hessian of anything that slices. The inputs of a node are not
// exported, so the padding is read by reflection. It is registered only where GoMLX has
// none of its own.
func init() {
	if _, ok := graph.VJPRegistration[graph.NodeTypePad]; ok {
		return
	}
	graph.VJPRegistration[graph.NodeTypePad] = func(node *graph.Node, v []*graph.Node, _ shapes.Shape) []*graph.Node {
		axes := reflect.ValueOf(node).Elem().FieldByName("inputs").Elem().Elem().FieldByName("axesConfig")
		x := node.Inputs()[0]
		var ranges []graph.SliceAxisSpec
		for axis, n := range x.Shape().Dimensions {
			start, interior := 0, 0
			if axis < axes.Len() {
				start = int(axes.Index(axis).FieldByName("Start").Int())
				interior = int(axes.Index(axis).FieldByName("Interior").Int())
			}
			ranges = append(ranges, graph.AxisRange(start, start+(n-1)*(interior+1)+1).Stride(interior+1))
		}
		return []*graph.Node{graph.Slice(v[0], ranges...), nil}
	}
}
