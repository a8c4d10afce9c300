package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Version is the version of the protocol in the headers of this package's messages.
const Version = "5.3"

// Header says who sent what.
type Header struct {
	ID       string `json:"msg_id"`
	Session  string `json:"session"`
	Username string `json:"username"`
	Type     string `json:"msg_type"`
	Version  string `json:"version"`
	Date     string `json:"date"` // ISO 8601

	raw json.RawMessage // as it came in
}

// Message is one message. Content and Metadata are JSON objects; an empty Metadata
// stands for {}.
type Message struct {
	Identities [][]byte // routing prefix; on IOPub the topic
	Header     Header
	Parent     Header // the header of the request that this message answers, or zero
	Metadata   json.RawMessage
	Content    json.RawMessage
	Buffers    [][]byte // raw data after the JSON frames
}

// NewMessage returns a message with a new identifier. It fails if content has no JSON
// form.
func NewMessage(session, typ string, content any) (*Message, error) {
	b, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("wire: the content of a %s: %w", typ, err)
	}
	return &Message{
		Header: Header{
			ID: NewID(), Session: session, Username: "sgdlab", Type: typ, Version: Version,
			Date: time.Now().UTC().Format("2006-01-02T15:04:05.000000Z07:00"),
		},
		Content: b,
	}, nil
}

const delimiter = "<IDS|MSG>"

// Reasons for which [Decode] refuses frames.
var (
	ErrNoMessage = errors.New("wire: the frames are not a Jupyter message")
	ErrSignature = errors.New("wire: the signature of a message is wrong: the other side has another connection file")
)

// Sign returns the hexadecimal HMAC-SHA256 of the parts one after another. An empty key
// gives an empty signature.
func Sign(key []byte, parts ...[]byte) []byte {
	if len(key) == 0 {
		return nil
	}
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return hex.AppendEncode(nil, h.Sum(nil))
}

// Encode returns the frames of m, signed with key.
func Encode(key []byte, m *Message) ([][]byte, error) {
	header, err := m.Header.encode()
	if err != nil {
		return nil, err
	}
	parent, err := m.Parent.encode()
	if err != nil {
		return nil, err
	}
	parts := [][]byte{header, parent, object(m.Metadata), object(m.Content)}
	frames := slices.Clone(m.Identities)
	frames = append(frames, []byte(delimiter), Sign(key, parts...))
	frames = append(frames, parts...)
	return append(frames, m.Buffers...), nil
}

func (h Header) encode() ([]byte, error) {
	if h.raw != nil {
		return h.raw, nil
	}
	if h.ID == "" {
		return []byte("{}"), nil
	}
	return json.Marshal(h)
}

func object(b json.RawMessage) []byte {
	if len(b) == 0 {
		return []byte("{}")
	}
	return b
}

// Decode returns the message in frames. It returns [ErrNoMessage] or [ErrSignature],
// wrapped, if they are not one, or not signed with key. An empty key accepts any
// signature.
func Decode(key []byte, frames [][]byte) (*Message, error) {
	i := slices.IndexFunc(frames, func(f []byte) bool { return string(f) == delimiter })
	if i < 0 || len(frames) < i+6 {
		return nil, ErrNoMessage
	}
	signature, parts := frames[i+1], frames[i+2:i+6]
	if len(key) > 0 && !hmac.Equal(signature, Sign(key, parts...)) {
		return nil, ErrSignature
	}
	m := &Message{Identities: frames[:i], Metadata: parts[2], Content: parts[3], Buffers: frames[i+6:]}
	for part, h := range map[int]*Header{0: &m.Header, 1: &m.Parent} {
		if err := json.Unmarshal(parts[part], h); err != nil {
			return nil, fmt.Errorf("%w: header %q: %w", ErrNoMessage, parts[part], err)
		}
		h.raw = parts[part]
	}
	if m.Header.ID == "" {
		return nil, fmt.Errorf("%w: the header %q has no msg_id", ErrNoMessage, parts[0])
	}
	if !json.Valid(m.Content) {
		return nil, fmt.Errorf("%w: the content of a %s is not JSON", ErrNoMessage, m.Header.Type)
	}
	return m, nil
}
