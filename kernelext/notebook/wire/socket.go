package wire

import (
	"context"
	"fmt"
	"io"
	"log"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-zeromq/zmq4"
)

// Incoming is a message that has arrived, or the reason why one was refused.
type Incoming struct {
	Channel Channel
	*Message
	Err error // Message is nil
}

// quiet keeps ZeroMQ from writing to standard error when a connection breaks.
var quiet = zmq4.WithLogger(log.New(io.Discard, "", 0))

// pump hands what arrives at a socket to out until the socket is closed or ctx ends.
func pump(ctx context.Context, ch Channel, s zmq4.Socket, key []byte, out chan<- Incoming) {
	for {
		frames, err := s.Recv()
		if err != nil {
			return
		}
		m, err := Decode(key, frames.Frames)
		select {
		case out <- Incoming{ch, m, err}:
		case <-ctx.Done():
			return
		}
	}
}

// Client is a front-end's end of the channels. Its methods may be used concurrently.
type Client struct {
	session  string
	key      []byte
	sockets  map[Channel]zmq4.Socket
	messages chan Incoming
	beat     atomic.Int64 // nanoseconds after start
	start    time.Time
	stop     context.CancelFunc
	pumps    sync.WaitGroup
}

// dialEvery is the pause between attempts to connect.
const dialEvery = 2 * time.Millisecond

// Dial connects to all channels but Stdin. It tries until the kernel listens or ctx ends.
func Dial(ctx context.Context, c *Connection) (*Client, error) {
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	client := &Client{
		session:  NewID(),
		key:      []byte(c.Key),
		messages: make(chan Incoming, 16),
		start:    time.Now(),
		stop:     stop,
	}
	options := []zmq4.Option{quiet, zmq4.WithDialerMaxRetries(0)}
	client.sockets = map[Channel]zmq4.Socket{
		Shell:     zmq4.NewDealer(life, options...),
		Control:   zmq4.NewDealer(life, options...),
		IOPub:     zmq4.NewSub(life, options...),
		Heartbeat: zmq4.NewReq(life, options...),
	}
	if err := client.sockets[IOPub].SetOption(zmq4.OptionSubscribe, ""); err != nil {
		return nil, err
	}
	for _, ch := range []Channel{Shell, IOPub, Control, Heartbeat} {
		if err := dial(ctx, client.sockets[ch], c.Address(ch)); err != nil {
			client.Close()
			return nil, fmt.Errorf("wire: no connection to the %s channel of the kernel: %w", ch, err)
		}
	}
	for _, ch := range []Channel{Shell, IOPub, Control} {
		client.pumps.Go(func() { pump(life, ch, client.sockets[ch], client.key, client.messages) })
	}
	go client.ping(life)
	go func() {
		client.pumps.Wait()
		close(client.messages)
	}()
	return client, nil
}

// dial connects one socket. The handshake of an attempt knows no context: if ctx ends
// first, the attempt is left to end with the process at the other side.
func dial(ctx context.Context, s zmq4.Socket, address string) error {
	for {
		done := make(chan error, 1)
		go func() { done <- s.Dial(address) }()
		var err error
		select {
		case err = <-done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err == nil {
			return nil
		}
		select {
		case <-time.After(dialEvery):
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}

// pingEvery is the time between heartbeats.
const pingEvery = 500 * time.Millisecond

func (c *Client) ping(ctx context.Context) {
	s := c.sockets[Heartbeat]
	for {
		if err := s.Send(zmq4.NewMsgString("ping")); err != nil {
			return
		}
		if _, err := s.Recv(); err != nil {
			return
		}
		c.beat.Store(int64(time.Since(c.start)))
		select {
		case <-ctx.Done():
			return
		case <-time.After(pingEvery):
		}
	}
}

// LastBeat returns when the kernel last answered a heartbeat; before the first answer,
// when the connection was made.
func (c *Client) LastBeat() time.Time { return c.start.Add(time.Duration(c.beat.Load())) }

// Session returns the session identifier in the headers of this client's messages.
func (c *Client) Session() string { return c.session }

// Send sends a request on Shell or Control and returns its identifier, which answers
// carry in Parent.ID.
func (c *Client) Send(ch Channel, typ string, content any) (id string, err error) {
	m, err := NewMessage(c.session, typ, content)
	if err != nil {
		return "", err
	}
	return m.Header.ID, send(c.sockets[ch], c.key, m)
}

func send(s zmq4.Socket, key []byte, m *Message) error {
	frames, err := Encode(key, m)
	if err != nil {
		return err
	}
	if err := s.SendMulti(zmq4.NewMsgFrom(frames...)); err != nil {
		return fmt.Errorf("wire: sending a %s: %w", m.Header.Type, err)
	}
	return nil
}

// Messages returns what arrives on Shell, IOPub and Control, in order within each. It
// must be read all the time. It is closed when the kernel has gone or the client is
// closed.
func (c *Client) Messages() <-chan Incoming { return c.messages }

// Close closes the sockets.
func (c *Client) Close() error {
	c.stop()
	var err error
	for _, s := range c.sockets {
		if e := s.Close(); err == nil {
			err = e
		}
	}
	return err
}

// Server is a kernel's end of the channels. It answers heartbeats by itself.
type Server struct {
	session  string
	key      []byte
	sockets  map[Channel]zmq4.Socket
	requests chan Incoming
	stop     context.CancelFunc
	pumps    sync.WaitGroup
}

// Listen serves all channels of a connection until Close or the end of ctx.
func Listen(ctx context.Context, c *Connection) (*Server, error) {
	ctx, stop := context.WithCancel(ctx)
	s := &Server{
		session:  NewID(),
		key:      []byte(c.Key),
		requests: make(chan Incoming),
		stop:     stop,
		sockets: map[Channel]zmq4.Socket{
			Shell:     zmq4.NewRouter(ctx, quiet),
			Control:   zmq4.NewRouter(ctx, quiet),
			Stdin:     zmq4.NewRouter(ctx, quiet),
			IOPub:     zmq4.NewPub(ctx, quiet),
			Heartbeat: zmq4.NewRep(ctx, quiet),
		},
	}
	for _, ch := range []Channel{IOPub, Shell, Control, Stdin, Heartbeat} {
		if err := s.sockets[ch].Listen(c.Address(ch)); err != nil {
			s.Close()
			return nil, fmt.Errorf("wire: the %s channel: %w", ch, err)
		}
	}
	for _, ch := range []Channel{Shell, Control, Stdin} {
		s.pumps.Go(func() { pump(ctx, ch, s.sockets[ch], s.key, s.requests) })
	}
	go echo(s.sockets[Heartbeat])
	go func() {
		s.pumps.Wait()
		close(s.requests)
	}()
	return s, nil
}

func echo(s zmq4.Socket) {
	for {
		m, err := s.Recv()
		if err != nil {
			return
		}
		if err := s.Send(m); err != nil {
			return
		}
	}
}

// Requests returns what arrives on Shell, Control and Stdin. It is closed when the
// server is.
func (s *Server) Requests() <-chan Incoming { return s.requests }

// Reply answers a request where it came from.
func (s *Server) Reply(request Incoming, typ string, content any) error {
	m, err := NewMessage(s.session, typ, content)
	if err != nil {
		return err
	}
	m.Identities, m.Parent = request.Identities, request.Header
	return send(s.sockets[request.Channel], s.key, m)
}

// Publish sends an output to all front-ends. Parent is the header of the request that
// brings it about, or zero.
func (s *Server) Publish(parent Header, typ string, content any) error {
	m, err := NewMessage(s.session, typ, content)
	if err != nil {
		return err
	}
	m.Identities, m.Parent = [][]byte{[]byte(typ)}, parent
	return send(s.sockets[IOPub], s.key, m)
}

// Close closes the sockets.
func (s *Server) Close() error {
	s.stop()
	var err error
	for _, socket := range s.sockets {
		if e := socket.Close(); err == nil {
			err = e
		}
	}
	return err
}
