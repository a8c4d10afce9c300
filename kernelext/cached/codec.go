package cached

import (
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"unsafe"
)

var (
	marshalerType   = reflect.TypeFor[encoding.BinaryMarshaler]()
	unmarshalerType = reflect.TypeFor[encoding.BinaryUnmarshaler]()
)

// marshals reports whether values of t have a binary form of their own.
func marshals(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return t.Kind() != reflect.Pointer && p.Implements(marshalerType) && p.Implements(unmarshalerType)
}

// flat reports whether values of t are numbers, or arrays of them, that can be stored as
// they lie in memory.
func flat(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return !marshals(t)
	case reflect.Array:
		return flat(t.Elem()) && !marshals(t)
	}
	return false
}

// checkType returns an error that names the place in t that cannot be kept.
func checkType(t reflect.Type) error {
	seen := map[reflect.Type]bool{}
	var check func(t reflect.Type, path string) error
	check = func(t reflect.Type, path string) error {
		if seen[t] || marshals(t) || flat(t) {
			return nil
		}
		seen[t] = true
		switch t.Kind() {
		case reflect.Bool, reflect.String:
			return nil
		case reflect.Slice, reflect.Array:
			return check(t.Elem(), path+"[]")
		case reflect.Pointer:
			return check(t.Elem(), path)
		case reflect.Map:
			if err := check(t.Key(), path+"[key]"); err != nil {
				return err
			}
			return check(t.Elem(), path+"[]")
		case reflect.Struct:
			for i := range t.NumField() {
				f := t.Field(i)
				if !f.IsExported() {
					return fmt.Errorf("%s has the unexported field %s: return a struct of exported fields, or give the type MarshalBinary and UnmarshalBinary", path, f.Name)
				}
				if err := check(f.Type, path+"."+f.Name); err != nil {
					return err
				}
			}
			return nil
		}
		return fmt.Errorf("%s is a %s: numbers, strings, slices, arrays, maps, pointers and structs can be kept", path, t.Kind())
	}
	return check(t, t.String())
}

// typeText describes t down to its fields.
func typeText(t reflect.Type) string {
	seen := map[reflect.Type]bool{}
	var text func(t reflect.Type) string
	text = func(t reflect.Type) string {
		name := t.String()
		if t.PkgPath() != "" {
			name = t.PkgPath() + "." + t.Name()
		}
		if seen[t] {
			return name
		}
		seen[t] = true
		switch t.Kind() {
		case reflect.Slice, reflect.Array, reflect.Pointer:
			return name + "(" + text(t.Elem()) + ")"
		case reflect.Map:
			return name + "(" + text(t.Key()) + "," + text(t.Elem()) + ")"
		case reflect.Struct:
			name += "{"
			for i := range t.NumField() {
				name += t.Field(i).Name + " " + text(t.Field(i).Type) + ";"
			}
			return name + "}"
		}
		return name + ":" + t.Kind().String()
	}
	return text(t)
}

// maxDepth of nested values; deeper ones contain themselves.
const maxDepth = 1000

// encoder writes values of a type that checkType accepts. The form is that of memory on
// this machine: it is no format for exchange.
type encoder struct {
	w     io.Writer
	depth int
	err   error
}

func (e *encoder) bytes(b []byte) {
	if e.err == nil {
		_, e.err = e.w.Write(b)
	}
}

func (e *encoder) uint(n uint64) { e.bytes(binary.LittleEndian.AppendUint64(nil, n)) }

// length writes the length of a slice or a map plus one, or zero for nil.
func (e *encoder) length(v reflect.Value) {
	if v.IsNil() {
		e.uint(0)
		return
	}
	e.uint(uint64(v.Len()) + 1)
}

func (e *encoder) value(v reflect.Value) {
	if e.depth++; e.depth > maxDepth {
		e.err = errors.New("it is nested too deeply, or contains itself")
	}
	defer func() { e.depth-- }()
	if e.err != nil {
		return
	}
	t := v.Type()
	switch {
	case marshals(t):
		p := reflect.New(t)
		p.Elem().Set(v)
		data, err := p.Interface().(encoding.BinaryMarshaler).MarshalBinary()
		if err != nil {
			e.err = err
			return
		}
		e.uint(uint64(len(data)))
		e.bytes(data)
	case flat(t):
		p := reflect.New(t) // v may have no address
		p.Elem().Set(v)
		e.bytes(memory(p.UnsafePointer(), 1, t))
	case t.Kind() == reflect.Bool:
		b := byte(0)
		if v.Bool() {
			b = 1
		}
		e.bytes([]byte{b})
	case t.Kind() == reflect.String:
		e.uint(uint64(v.Len()))
		e.bytes([]byte(v.String()))
	case t.Kind() == reflect.Slice:
		if e.length(v); v.Len() == 0 {
			return
		}
		if flat(t.Elem()) {
			e.bytes(memory(v.UnsafePointer(), v.Len(), t.Elem()))
			return
		}
		for i := range v.Len() {
			e.value(v.Index(i))
		}
	case t.Kind() == reflect.Array:
		for i := range v.Len() {
			e.value(v.Index(i))
		}
	case t.Kind() == reflect.Map:
		e.length(v)
		for _, k := range v.MapKeys() {
			e.value(k)
			e.value(v.MapIndex(k))
		}
	case t.Kind() == reflect.Pointer:
		if v.IsNil() {
			e.bytes([]byte{0})
			return
		}
		e.bytes([]byte{1})
		e.value(v.Elem())
	case t.Kind() == reflect.Struct:
		for i := range v.NumField() {
			e.value(v.Field(i))
		}
	}
}

// memory returns the bytes of n values of type t at p.
func memory(p unsafe.Pointer, n int, t reflect.Type) []byte {
	return unsafe.Slice((*byte)(p), n*int(t.Size()))
}

// decoder reads what encoder wrote. It never asks for more memory than the file is long.
type decoder struct {
	r     io.Reader
	left  int64 // bytes that the value may still have
	depth int
	err   error
}

var errShort = errors.New("the file is too short for its contents")

func (d *decoder) bytes(b []byte) {
	if d.err != nil {
		return
	}
	if int64(len(b)) > d.left {
		d.err = errShort
		return
	}
	d.left -= int64(len(b))
	for len(b) > 0 && d.err == nil { // in pieces that the checksum still finds in the cache
		n := min(len(b), 1<<18)
		_, d.err = io.ReadFull(d.r, b[:n])
		b = b[n:]
	}
}

func (d *decoder) uint() uint64 {
	var b [8]byte
	d.bytes(b[:])
	return binary.LittleEndian.Uint64(b[:])
}

// count returns n, or zero with an error if n things of at least size bytes cannot be in
// the file.
func (d *decoder) count(n uint64, size int64) int {
	if n > math.MaxInt64 || size > 0 && int64(n) > d.left/size {
		d.err = errShort
	}
	if d.err != nil {
		return 0
	}
	return int(n)
}

func (d *decoder) byte() byte {
	var b [1]byte
	d.bytes(b[:])
	return b[0]
}

// leastSize returns a lower bound on the bytes that a value of type t takes.
func leastSize(t reflect.Type) int64 {
	switch {
	case flat(t):
		return int64(t.Size())
	case marshals(t), t.Kind() == reflect.String, t.Kind() == reflect.Slice, t.Kind() == reflect.Map:
		return 8
	case t.Kind() == reflect.Bool, t.Kind() == reflect.Pointer:
		return 1
	case t.Kind() == reflect.Array:
		return int64(t.Len()) * leastSize(t.Elem())
	}
	var n int64
	for i := range t.NumField() {
		n += leastSize(t.Field(i).Type)
	}
	return n
}

func (d *decoder) value(v reflect.Value) {
	if d.depth++; d.depth > maxDepth {
		d.err = errDamaged
	}
	defer func() { d.depth-- }()
	if d.err != nil {
		return
	}
	t := v.Type()
	switch {
	case marshals(t):
		data := make([]byte, d.count(d.uint(), 1))
		if d.bytes(data); d.err == nil {
			d.err = v.Addr().Interface().(encoding.BinaryUnmarshaler).UnmarshalBinary(data)
		}
	case flat(t):
		d.bytes(memory(v.Addr().UnsafePointer(), 1, t))
	case t.Kind() == reflect.Bool:
		v.SetBool(d.byte() != 0)
	case t.Kind() == reflect.String:
		data := make([]byte, d.count(d.uint(), 1))
		d.bytes(data)
		v.SetString(string(data))
	case t.Kind() == reflect.Slice:
		n := d.uint()
		if n == 0 || d.err != nil {
			return
		}
		size := leastSize(t.Elem())
		length := d.count(n-1, size)
		if size == 0 && length > 1<<20 { // nothing in the file bounds it
			d.err = errDamaged
			return
		}
		v.Set(reflect.MakeSlice(t, length, length))
		if flat(t.Elem()) {
			d.bytes(memory(v.UnsafePointer(), length, t.Elem()))
			return
		}
		for i := range length {
			d.value(v.Index(i))
		}
	case t.Kind() == reflect.Array:
		for i := range v.Len() {
			d.value(v.Index(i))
		}
	case t.Kind() == reflect.Map:
		n := d.uint()
		if n == 0 || d.err != nil {
			return
		}
		length := d.count(n-1, max(1, leastSize(t.Key())+leastSize(t.Elem())))
		v.Set(reflect.MakeMapWithSize(t, length))
		for range length {
			key, elem := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
			d.value(key)
			if d.value(elem); d.err != nil {
				return
			}
			v.SetMapIndex(key, elem)
		}
	case t.Kind() == reflect.Pointer:
		if d.byte() == 1 && d.err == nil {
			v.Set(reflect.New(t.Elem()))
			d.value(v.Elem())
		}
	case t.Kind() == reflect.Struct:
		for i := range v.NumField() {
			d.value(v.Field(i))
		}
	}
}
