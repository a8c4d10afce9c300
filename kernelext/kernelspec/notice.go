package kernelspec

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"sgdlab/kernelext/notebook/wire"
)

// notice is a kernel that says one sentence.
type notice struct {
	*wire.Server
	text  string
	cells int
}

// serveNotice serves the kernel of the connection file until a front-end shuts it down, or
// ctx or the parent process ends, answering each cell with text as an error.
func serveNotice(ctx context.Context, connectionFile, text string) error {
	c, err := wire.ReadConnection(connectionFile)
	if err != nil {
		return fmt.Errorf("%s (and there is no connection to say so: %w)", text, err)
	}
	server, err := wire.Listen(ctx, c)
	if err != nil {
		return fmt.Errorf("%s (and there is no connection to say so: %w)", text, err)
	}
	defer server.Close()
	n := &notice{Server: server, text: text}
	if err := n.Publish(wire.Header{}, "status", content{"execution_state": "starting"}); err != nil {
		return err
	}
	parent, orphaned := os.Getppid(), time.NewTicker(time.Second)
	defer orphaned.Stop()
	for {
		select {
		case <-orphaned.C:
			if os.Getppid() != parent { // Jupyter was killed
				return nil
			}
		case request, ok := <-n.Requests():
			if !ok {
				return nil
			}
			if request.Err != nil {
				continue // not from our front-end
			}
			if err := n.answer(request); errors.Is(err, errShutdown) {
				time.Sleep(100 * time.Millisecond) // the reply leaves
				return nil
			} else if err != nil {
				return err
			}
		}
	}
}

type content = map[string]any

var errShutdown = errors.New("shut down")

// answer answers a request between the states busy and idle. It returns errShutdown if the
// request asks for that.
func (n *notice) answer(r wire.Incoming) error {
	if err := n.Publish(r.Header, "status", content{"execution_state": "busy"}); err != nil {
		return err
	}
	answer := n.reply(r)
	if err := n.Publish(r.Header, "status", content{"execution_state": "idle"}); err != nil {
		return err
	}
	return answer
}

func (n *notice) reply(r wire.Incoming) error {
	switch r.Header.Type {
	case "kernel_info_request":
		return n.Reply(r, "kernel_info_reply", content{
			"status": "ok", "protocol_version": wire.Version, "implementation": "sgdlab", "implementation_version": "0",
			"language_info": content{"name": "go", "version": "", "mimetype": "text/x-go", "file_extension": ".go"},
			"banner":        n.text, "help_links": []any{},
		})
	case "execute_request":
		return n.refuse(r)
	case "shutdown_request":
		var asked struct {
			Restart bool `json:"restart"`
		}
		_ = json.Unmarshal(r.Content, &asked)
		return errors.Join(errShutdown, n.Reply(r, "shutdown_reply", content{"status": "ok", "restart": asked.Restart}))
	case "interrupt_request":
		return n.Reply(r, "interrupt_reply", content{"status": "ok"})
	case "comm_info_request":
		return n.Reply(r, "comm_info_reply", content{"status": "ok", "comms": content{}})
	case "is_complete_request":
		return n.Reply(r, "is_complete_reply", content{"status": "complete"})
	case "complete_request":
		return n.Reply(r, "complete_reply", content{"status": "ok", "matches": []any{}, "cursor_start": 0, "cursor_end": 0, "metadata": content{}})
	case "inspect_request":
		return n.Reply(r, "inspect_reply", content{"status": "ok", "found": false, "data": content{}, "metadata": content{}})
	case "history_request":
		return n.Reply(r, "history_reply", content{"status": "ok", "history": []any{}})
	}
	return nil
}

// refuse answers a cell.
func (n *notice) refuse(r wire.Incoming) error {
	var cell struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(r.Content, &cell)
	n.cells++
	trouble := content{"ename": "sgdlab", "evalue": n.text, "traceback": []string{n.text}}
	if err := n.Publish(r.Header, "execute_input", content{"code": cell.Code, "execution_count": n.cells}); err != nil {
		return err
	}
	if err := n.Publish(r.Header, "error", trouble); err != nil {
		return err
	}
	trouble["status"], trouble["execution_count"] = "error", n.cells
	return n.Reply(r, "execute_reply", trouble)
}
