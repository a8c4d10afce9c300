package wire_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sgdlab/kernelext/notebook/wire"
)

func TestEncodeDecode(t *testing.T) {
	key := []byte("secret")
	m, err := wire.NewMessage("session", "execute_request", map[string]any{"code": "π"})
	if err != nil {
		t.Fatal(err)
	}
	m.Identities = [][]byte{[]byte("a"), []byte("b")}
	m.Parent = wire.Header{ID: "parent", Type: "t"}
	m.Buffers = [][]byte{{1, 2}}
	frames, err := wire.Encode(key, m)
	if err != nil {
		t.Fatal(err)
	}
	got, err := wire.Decode(key, frames)
	if err != nil {
		t.Fatal(err)
	}
	if got.Header.ID != m.Header.ID || got.Header.Type != "execute_request" || got.Parent.ID != "parent" || string(got.Content) != `{"code":"π"}` ||
		string(got.Metadata) != "{}" || !cmp.Equal(got.Identities, m.Identities) || !cmp.Equal(got.Buffers, m.Buffers) {
		t.Errorf("got %+v, want %+v", got, m)
	}
}

// The signature is checked against one of another program: Python's
// hmac.new(b"key", b'{"msg_id":"1"}' + b"{}" + b"{}" + b"{}", "sha256").hexdigest()
func TestSign(t *testing.T) {
	const want = "fae17e3551b4fe47b90efc695f60e0688abc04206e4800a47e3dea21647ee1c1"
	got := wire.Sign([]byte("key"), []byte(`{"msg_id":"1"}`), []byte("{}"), []byte("{}"), []byte("{}"))
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := wire.Sign(nil, []byte("x")); len(got) != 0 {
		t.Errorf("without a key: got %q", got)
	}
}

func TestHeaderOfARequestIsEchoedAsItCame(t *testing.T) {
	header := `{"msg_id":"1","msg_type":"x","unknown":{"b":1,"a":2.50}}`
	parts := [][]byte{[]byte(header), []byte("{}"), []byte("{}"), []byte("{}")}
	frames := append([][]byte{[]byte("<IDS|MSG>"), wire.Sign(nil, parts...)}, parts...)
	m, err := wire.Decode(nil, frames)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := wire.NewMessage("s", "y", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Parent = m.Header
	encoded, err := wire.Encode(nil, answer)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(encoded[3]); got != header {
		t.Errorf("got %s, want %s", got, header)
	}
}

func TestDecodeRefuses(t *testing.T) {
	sign := func(parts ...string) [][]byte {
		b := make([][]byte, len(parts))
		for i, p := range parts {
			b[i] = []byte(p)
		}
		return append([][]byte{[]byte("<IDS|MSG>"), wire.Sign([]byte("key"), b...)}, b...)
	}
	altered := sign(`{"msg_id":"1"}`, "{}", "{}", `{"code":"a"}`)
	altered[5] = []byte(`{"code":"b"}`)
	for _, tt := range []struct {
		name   string
		frames [][]byte
		want   error
	}{
		{"nothing", nil, wire.ErrNoMessage},
		{"no delimiter", [][]byte{[]byte("a"), []byte("b")}, wire.ErrNoMessage},
		{"too short", sign("{}", "{}", "{}"), wire.ErrNoMessage},
		{"altered", altered, wire.ErrSignature},
		{"unsigned", append([][]byte{[]byte("<IDS|MSG>"), nil}, sign(`{"msg_id":"1"}`, "{}", "{}", "{}")[2:]...), wire.ErrSignature},
		{"header", sign("[", "{}", "{}", "{}"), wire.ErrNoMessage},
		{"no id", sign("{}", "{}", "{}", "{}"), wire.ErrNoMessage},
		{"content", sign(`{"msg_id":"1"}`, "{}", "{}", "{"), wire.ErrNoMessage},
	} {
		if _, err := wire.Decode([]byte("key"), tt.frames); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestConnectionFile(t *testing.T) {
	c, err := wire.NewConnection()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kernel.json")
	if err := c.Write(path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	got, err := wire.ReadConnection(path)
	if err != nil || *got != *c {
		t.Errorf("got %+v, %v; want %+v", got, err, c)
	}
	ports := map[int]bool{c.ShellPort: true, c.IOPubPort: true, c.StdinPort: true, c.ControlPort: true, c.HeartbeatPort: true}
	if len(ports) != 5 || ports[0] {
		t.Errorf("ports %v, want five", ports)
	}
	for name, text := range map[string]string{"damaged": "{", "scheme": `{"signature_scheme": "hmac-md5"}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := wire.ReadConnection(path); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	ipc := wire.Connection{Transport: "ipc", IP: "/tmp/k", IOPubPort: 2}
	if got := ipc.Address(wire.IOPub); got != "ipc:///tmp/k-2" {
		t.Errorf("ipc: got %s", got)
	}
}

// connect returns both ends of a connection.
func connect(t *testing.T) (*wire.Server, *wire.Client) {
	t.Helper()
	c, err := wire.NewConnection()
	if err != nil {
		t.Fatal(err)
	}
	server, err := wire.Listen(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	client, err := wire.Dial(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		server.Close()
	})
	return server, client
}

func TestRequestReplyAndOutput(t *testing.T) {
	server, client := connect(t)
	go func() {
		for r := range server.Requests() {
			// Until the subscription has taken effect outputs are lost.
			for i := 0; i < 50; i++ {
				server.Publish(r.Header, "status", map[string]any{"n": i})
				time.Sleep(time.Millisecond)
			}
			server.Reply(r, "kernel_info_reply", map[string]any{"ok": true})
		}
	}()
	for _, ch := range []wire.Channel{wire.Shell, wire.Control} {
		id, err := client.Send(ch, "kernel_info_request", struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		next, replied := 0, false
		for !replied || next < 50 {
			m := <-client.Messages()
			if m.Err != nil || m.Parent.ID != id {
				t.Fatalf("%v: got %+v", ch, m)
			}
			switch m.Channel {
			case ch:
				replied = true
			case wire.IOPub:
				var c struct{ N int }
				if err := json.Unmarshal(m.Content, &c); err != nil {
					t.Fatal(err)
				}
				if c.N < next {
					t.Errorf("output %d after %d", c.N, next)
				}
				next = c.N + 1
			}
		}
	}
	awaitBeat(t, client)
}

func awaitBeat(t *testing.T, client *wire.Client) {
	t.Helper()
	begin := time.Now()
	for client.LastBeat().Before(begin) {
		if time.Since(begin) > 10*time.Second {
			t.Fatal("no heartbeat within 10 s")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestMessagesEndWithTheServer(t *testing.T) {
	server, client := connect(t)
	awaitBeat(t, client) // or the server may close before a socket is connected, which then waits for another
	server.Close()
	timeout := time.After(10 * time.Second)
	for {
		select {
		case _, ok := <-client.Messages():
			if !ok {
				return
			}
		case <-timeout:
			t.Fatal("the channel of messages is open 10 s after the server has closed")
		}
	}
}

func TestDialGivesUp(t *testing.T) {
	c, err := wire.NewConnection()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := wire.Dial(ctx, c); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the end of the context", err)
	}
	server, err := wire.Listen(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if _, err := wire.Listen(t.Context(), c); err == nil {
		t.Error("two servers with the same ports")
	}
}

func ExampleEncode() {
	m := &wire.Message{Header: wire.Header{ID: "1", Type: "shutdown_request"}, Content: json.RawMessage(`{"restart":false}`)}
	frames, err := wire.Encode(nil, m)
	if err != nil {
		fmt.Println(err)
	}
	for _, f := range frames {
		fmt.Printf("%s\n", f)
	}
	// Output:
	// <IDS|MSG>
	//
	// {"msg_id":"1","session":"","username":"","msg_type":"shutdown_request","version":"","date":""}
	// {}
	// {}
	// {"restart":false}
}

func BenchmarkRoundTrip(b *testing.B) {
	c, err := wire.NewConnection()
	if err != nil {
		b.Fatal(err)
	}
	server, err := wire.Listen(b.Context(), c)
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	client, err := wire.Dial(b.Context(), c)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	go func() {
		for r := range server.Requests() {
			server.Reply(r, "kernel_info_reply", struct{}{})
		}
	}()
	for b.Loop() {
		if _, err := client.Send(wire.Shell, "kernel_info_request", struct{}{}); err != nil {
			b.Fatal(err)
		}
		<-client.Messages()
	}
}
