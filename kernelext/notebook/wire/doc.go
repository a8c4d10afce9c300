// Package wire speaks the messaging protocol between a Jupyter front-end and a kernel,
// version 5.3, over ZeroMQ.
//
// A kernel has five sockets, see [Channel]. Where they are, and the key that signs the
// messages, stands in a connection file ([Connection]). A front-end dials them with
// [Dial], a kernel serves them with [Listen]:
//
//	client, err := wire.Dial(ctx, connection)
//	id, err := client.Send(wire.Shell, "execute_request", content)
//	for m := range client.Messages() { … } // m.Parent.ID == id: an answer
//
// On the wire a message is a sequence of frames: routing identities, the delimiter
// <IDS|MSG>, the HMAC-SHA256 of the next four frames in hexadecimal, and these four as
// JSON: header, parent header, metadata, content. [Encode] and [Decode] do that part.
//
// The package does not start processes and gives contents no meaning; see package
// notebook.
package wire
