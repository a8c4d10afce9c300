package cached

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// canonical returns a text that is equal for equal settings and different for different
// ones: types by name, fields in order, unexported ones too, maps by key, floats exactly,
// interfaces with the type inside. Functions and channels that are not nil are an error,
// because they cannot be compared.
func canonical(settings any) (string, error) {
	c := canon{}
	c.value(reflect.ValueOf(&settings).Elem(), "settings")
	return c.b.String(), c.err
}

type canon struct {
	b     strings.Builder
	depth int
	err   error
}

func (c *canon) value(v reflect.Value, path string) {
	if c.depth++; c.depth > maxDepth && c.err == nil {
		c.err = errors.New("they are nested too deeply, or contain themselves")
	}
	defer func() { c.depth-- }()
	if c.err != nil {
		return
	}
	t := v.Type()
	switch t.Kind() {
	case reflect.Bool:
		c.b.WriteString(strconv.FormatBool(v.Bool()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		c.b.WriteString(strconv.FormatInt(v.Int(), 10))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		c.b.WriteString(strconv.FormatUint(v.Uint(), 10))
	case reflect.Float32, reflect.Float64:
		c.b.WriteString(strconv.FormatFloat(v.Float(), 'g', -1, t.Bits()))
	case reflect.Complex64, reflect.Complex128:
		c.b.WriteString(strconv.FormatComplex(v.Complex(), 'g', -1, t.Bits()))
	case reflect.String:
		c.b.WriteString(strconv.Quote(v.String()))
	case reflect.Interface:
		if v.IsNil() {
			c.b.WriteString("nil")
			return
		}
		c.b.WriteString(v.Elem().Type().String() + "(")
		c.value(v.Elem(), path)
		c.b.WriteByte(')')
	case reflect.Pointer:
		if v.IsNil() {
			c.b.WriteString("nil")
			return
		}
		c.b.WriteByte('&')
		c.value(v.Elem(), path)
	case reflect.Slice, reflect.Array:
		if t.Kind() == reflect.Slice && v.IsNil() {
			c.b.WriteString("nil")
			return
		}
		c.b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				c.b.WriteByte(' ')
			}
			c.value(v.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
		c.b.WriteByte(']')
	case reflect.Map:
		if v.IsNil() {
			c.b.WriteString("nil")
			return
		}
		var pairs []string
		for _, k := range v.MapKeys() {
			pair := canon{depth: c.depth}
			pair.value(k, path+"[key]")
			pair.b.WriteByte(':')
			pair.value(v.MapIndex(k), path+"["+pair.b.String()+"]")
			if pair.err != nil {
				c.err = pair.err
				return
			}
			pairs = append(pairs, pair.b.String())
		}
		slices.Sort(pairs)
		c.b.WriteString("map[" + strings.Join(pairs, " ") + "]")
	case reflect.Struct:
		c.b.WriteByte('{')
		for i := range v.NumField() {
			if i > 0 {
				c.b.WriteByte(' ')
			}
			c.b.WriteString(t.Field(i).Name + ":")
			c.value(v.Field(i), path+"."+t.Field(i).Name)
		}
		c.b.WriteByte('}')
	default: // functions, channels, unsafe pointers
		if !v.IsNil() {
			c.err = fmt.Errorf("%s is a %s and cannot be compared: pass only what decides the result", path, t.Kind())
			return
		}
		c.b.WriteString("nil")
	}
}
