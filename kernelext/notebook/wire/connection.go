package wire

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
)

// Channel is one of the sockets of a kernel.
type Channel int

// The sockets of a kernel. Shell takes requests, which wait for each other; Control takes
// requests that do not wait; IOPub publishes outputs; Stdin asks the user; Heartbeat
// returns what it gets.
const (
	Shell Channel = iota
	IOPub
	Stdin
	Control
	Heartbeat
)

var channelNames = [...]string{"shell", "iopub", "stdin", "control", "hb"}

func (c Channel) String() string {
	if c < 0 || int(c) >= len(channelNames) {
		return "Channel(" + strconv.Itoa(int(c)) + ")"
	}
	return channelNames[c]
}

// Connection is the content of a connection file.
type Connection struct {
	Transport       string `json:"transport"` // "tcp" or "ipc"
	IP              string `json:"ip"`        // for ipc the common part of the paths
	ShellPort       int    `json:"shell_port"`
	IOPubPort       int    `json:"iopub_port"`
	StdinPort       int    `json:"stdin_port"`
	ControlPort     int    `json:"control_port"`
	HeartbeatPort   int    `json:"hb_port"`
	SignatureScheme string `json:"signature_scheme"` // "hmac-sha256"
	Key             string `json:"key"`              // empty: messages are not signed
	KernelName      string `json:"kernel_name,omitempty"`
}

// given holds the ports that NewConnection has returned in this process: kernels that
// start at the same time must not get the same ones.
var given struct {
	sync.Mutex
	ports map[string]bool
}

// NewConnection returns a connection with a random key and five free TCP ports on the
// loopback interface. Where all of 127.0.0.0/8 is the loopback interface, as on Linux,
// the address is a random one of it: between this call and the moment the kernel listens
// nobody else comes by the same ports.
func NewConnection() (*Connection, error) {
	c := &Connection{Transport: "tcp", SignatureScheme: "hmac-sha256", Key: NewID()}
	var err error
	for range 4 {
		c.IP = randomLoopback()
		if err = c.choosePorts(); err == nil {
			return c, nil
		}
	}
	c.IP = "127.0.0.1"
	if err = c.choosePorts(); err != nil {
		return nil, fmt.Errorf("wire: no free port on the loopback interface: %w", err)
	}
	return c, nil
}

// randomLoopback returns an address of 127.0.0.0/8 that is neither its network nor its
// broadcast address.
func randomLoopback() string {
	var b [3]byte
	rand.Read(b[:]) // never fails
	return net.IPv4(127, b[0]%254+1, b[1], b[2]%254+1).String()
}

func (c *Connection) choosePorts() error {
	given.Lock()
	defer given.Unlock()
	if given.ports == nil {
		given.ports = map[string]bool{}
	}
	for i, port := range []*int{&c.ShellPort, &c.IOPubPort, &c.StdinPort, &c.ControlPort, &c.HeartbeatPort} {
		for *port = 0; *port == 0; {
			l, err := net.Listen("tcp", net.JoinHostPort(c.IP, "0"))
			if err != nil {
				return err
			}
			defer l.Close() // holds the port while the others are chosen
			if address := l.Addr().String(); !given.ports[address] {
				given.ports[address] = true
				*port = l.Addr().(*net.TCPAddr).Port
			}
			if i == 0 { // an address may be one to listen at but not one to reach
				conn, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					return err
				}
				conn.Close()
			}
		}
	}
	return nil
}

// ReadConnection reads a connection file.
func ReadConnection(path string) (*Connection, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("wire: %w", err)
	}
	c := new(Connection)
	if err := json.Unmarshal(b, c); err != nil {
		return nil, fmt.Errorf("wire: the connection file %s is damaged: %w", path, err)
	}
	if c.SignatureScheme != "" && c.SignatureScheme != "hmac-sha256" {
		return nil, fmt.Errorf("wire: the connection file %s wants the signature scheme %q: only hmac-sha256 is known", path, c.SignatureScheme)
	}
	return c, nil
}

// Write writes a connection file that only its owner can read: it holds the key.
func (c *Connection) Write(path string) error {
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return fmt.Errorf("wire: %w", err)
	}
	return nil
}

// Address returns the ZeroMQ end-point of a channel.
func (c *Connection) Address(ch Channel) string {
	port := [...]int{c.ShellPort, c.IOPubPort, c.StdinPort, c.ControlPort, c.HeartbeatPort}[ch]
	if c.Transport == "ipc" {
		return fmt.Sprintf("ipc://%s-%d", c.IP, port)
	}
	return fmt.Sprintf("%s://%s", c.Transport, net.JoinHostPort(c.IP, strconv.Itoa(port)))
}

// NewID returns a random identifier of 32 hexadecimal digits.
func NewID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
