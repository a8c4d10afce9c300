package kernelspec

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/go-zeromq/zmq4"
	"golang.org/x/sync/errgroup"
)

// notice is a Jupyter kernel that says one sentence. It speaks version 5.3 of the protocol
// as far as a front-end needs it to show the answer to a cell.
type notice struct {
	text    string
	key     []byte
	session string
	publish zmq4.Socket
	cells   int
}

// delimiter separates routing prefixes from the message.
const delimiter = "<IDS|MSG>"

// request is a message from a front-end.
type request struct {
	prefix  [][]byte // routing identities
	header  json.RawMessage
	kind    string
	content struct {
		Code    string `json:"code"`
		Restart bool   `json:"restart"`
	}
}

// serveNotice serves the kernel of the connection file until a front-end shuts it down or
// ctx or the parent process ends, answering each cell with text as an error.
func serveNotice(ctx context.Context, connectionFile, text string) error {
	b, err := os.ReadFile(connectionFile)
	if err != nil {
		return fmt.Errorf("%s (and the connection file cannot be read: %w)", text, err)
	}
	var c struct {
		Transport, IP, Key string
		Shell              int `json:"shell_port"`
		IOPub              int `json:"iopub_port"`
		Stdin              int `json:"stdin_port"`
		Control            int `json:"control_port"`
		Heartbeat          int `json:"hb_port"`
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return fmt.Errorf("%s (and the connection file %s is not JSON: %w)", text, connectionFile, err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	n := &notice{text: text, key: []byte(c.Key), session: newID(), publish: zmq4.NewPub(ctx)}
	shell, control, stdin, heartbeat := zmq4.NewRouter(ctx), zmq4.NewRouter(ctx), zmq4.NewRouter(ctx), zmq4.NewRep(ctx)
	for socket, port := range map[zmq4.Socket]int{
		n.publish: c.IOPub, shell: c.Shell, control: c.Control, stdin: c.Stdin, heartbeat: c.Heartbeat,
	} {
		defer socket.Close()
		if err := socket.Listen(fmt.Sprintf("%s://%s:%d", c.Transport, c.IP, port)); err != nil {
			return fmt.Errorf("%s (and port %d is not to be had: %w)", text, port, err)
		}
	}

	requests := make(chan received)
	var pumps errgroup.Group
	for _, socket := range []zmq4.Socket{shell, control} {
		pumps.Go(func() error { return n.pump(ctx, socket, requests) })
	}
	pumps.Go(func() error { return echo(heartbeat) })
	n.status(request{}, "starting")
	parent, orphaned := os.Getppid(), time.NewTicker(time.Second)
	defer orphaned.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-orphaned.C:
			if os.Getppid() != parent { // Jupyter was killed
				return nil
			}
		case r := <-requests:
			if n.answer(r.from, r.request) == errShutdown {
				time.Sleep(100 * time.Millisecond) // let the reply leave
				return nil
			}
		}
	}
}

type received struct {
	from zmq4.Socket
	request
}

// pump hands the signed requests that arrive at socket to out.
func (n *notice) pump(ctx context.Context, socket zmq4.Socket, out chan<- received) error {
	for {
		m, err := socket.Recv()
		if err != nil {
			return err
		}
		r, ok := n.parse(m.Frames)
		if !ok {
			continue
		}
		select {
		case out <- received{socket, r}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func echo(heartbeat zmq4.Socket) error {
	for {
		m, err := heartbeat.Recv()
		if err != nil {
			return err
		}
		if err := heartbeat.Send(m); err != nil {
			return err
		}
	}
}

// parse splits the frames of a message; ok is false if it is not one, or not signed with
// the key of the connection file.
func (n *notice) parse(frames [][]byte) (r request, ok bool) {
	i := slices.IndexFunc(frames, func(f []byte) bool { return string(f) == delimiter })
	if i < 0 || len(frames) < i+6 {
		return r, false
	}
	signature, parts := frames[i+1], frames[i+2:i+6]
	if len(n.key) > 0 && !hmac.Equal(signature, n.sign(parts)) {
		return r, false
	}
	var header struct {
		Kind string `json:"msg_type"`
	}
	if json.Unmarshal(parts[0], &header) != nil || json.Unmarshal(parts[3], &r.content) != nil {
		return r, false
	}
	r.prefix, r.header, r.kind = frames[:i], parts[0], header.Kind
	return r, true
}

// sign returns the hexadecimal HMAC of the four parts of a message.
func (n *notice) sign(parts [][]byte) []byte {
	if len(n.key) == 0 {
		return nil
	}
	h := hmac.New(sha256.New, n.key)
	for _, p := range parts {
		h.Write(p)
	}
	return hex.AppendEncode(nil, h.Sum(nil))
}

type content = map[string]any

// send sends a message of the given kind that answers r.
func (n *notice) send(socket zmq4.Socket, r request, kind string, c content) error {
	parent := r.header
	if parent == nil {
		parent = json.RawMessage("{}")
	}
	parts := make([][]byte, 4)
	for i, v := range []any{
		content{"msg_id": newID(), "session": n.session, "username": "kernel", "msg_type": kind,
			"version": "5.3", "date": time.Now().UTC().Format(time.RFC3339Nano)},
		parent, content{}, c,
	} {
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		parts[i] = b
	}
	frames := append(slices.Clone(r.prefix), []byte(delimiter), n.sign(parts))
	return socket.SendMulti(zmq4.NewMsgFrom(append(frames, parts...)...))
}

// tell publishes a message to all front-ends; the topic is its kind.
func (n *notice) tell(r request, kind string, c content) error {
	r.prefix = [][]byte{[]byte(kind)}
	return n.send(n.publish, r, kind, c)
}

func (n *notice) status(r request, state string) error {
	return n.tell(r, "status", content{"execution_state": state})
}

var errShutdown = fmt.Errorf("shut down")

// answer answers r, which came in at socket. It returns errShutdown if r asks for that.
func (n *notice) answer(socket zmq4.Socket, r request) (err error) {
	n.status(r, "busy")
	defer n.status(r, "idle")
	ok := content{"status": "ok"}
	switch r.kind {
	case "kernel_info_request":
		return n.send(socket, r, "kernel_info_reply", content{
			"status": "ok", "protocol_version": "5.3", "implementation": "sgdlab", "implementation_version": "0",
			"language_info": content{"name": "go", "version": "", "mimetype": "text/x-go", "file_extension": ".go"},
			"banner":        n.text, "help_links": []any{},
		})
	case "execute_request":
		n.cells++
		n.tell(r, "execute_input", content{"code": r.content.Code, "execution_count": n.cells})
		trouble := content{"ename": "sgdlab", "evalue": n.text, "traceback": []string{n.text}}
		n.tell(r, "error", trouble)
		reply := content{"status": "error", "execution_count": n.cells}
		for k, v := range trouble {
			reply[k] = v
		}
		return n.send(socket, r, "execute_reply", reply)
	case "shutdown_request":
		n.send(socket, r, "shutdown_reply", content{"status": "ok", "restart": r.content.Restart})
		return errShutdown
	case "interrupt_request":
		return n.send(socket, r, "interrupt_reply", ok)
	case "comm_info_request":
		return n.send(socket, r, "comm_info_reply", content{"status": "ok", "comms": content{}})
	case "is_complete_request":
		return n.send(socket, r, "is_complete_reply", content{"status": "complete"})
	case "complete_request":
		return n.send(socket, r, "complete_reply", content{"status": "ok", "matches": []any{}, "cursor_start": 0, "cursor_end": 0, "metadata": content{}})
	case "inspect_request":
		return n.send(socket, r, "inspect_reply", content{"status": "ok", "found": false, "data": content{}, "metadata": content{}})
	case "history_request":
		return n.send(socket, r, "history_reply", content{"status": "ok", "history": []any{}})
	}
	return nil
}

func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
