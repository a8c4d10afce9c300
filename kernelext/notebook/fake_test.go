package notebook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sgdlab/kernelext/notebook"
	"sgdlab/kernelext/notebook/wire"
)

// fakeKernel is the variable that makes this test program a kernel. Its value is a flaw
// of the kernel, or "sound".
const fakeKernel = "SGDLAB_TEST_KERNEL"

func TestMain(m *testing.M) {
	if flaw := os.Getenv(fakeKernel); flaw != "" {
		if err := serveFake(os.Args[1], flaw); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if os.Getenv(doomedParent) != "" {
		k, err := notebook.Start(context.Background(), fake("sound"), nil)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		r, err := k.Execute(context.Background(), "pid")
		fmt.Println(r.Outputs[0].Text, err)
		time.Sleep(time.Hour)
	}
	os.Exit(m.Run())
}

// doomedParent is the variable that makes this test program start a kernel, print the
// number of its process, and wait.
const doomedParent = "SGDLAB_TEST_PARENT"

// fake returns the kernel that this test program is.
func fake(flaw string) *notebook.Spec {
	return &notebook.Spec{
		Argv:          []string{os.Args[0], "{connection_file}"},
		DisplayName:   "Fake",
		InterruptMode: "message",
		Env:           map[string]string{fakeKernel: flaw},
	}
}

// serveFake is a kernel for cells in a little language of its own, see run.
func serveFake(connectionFile, flaw string) error {
	switch flaw {
	case "dies":
		return fmt.Errorf("no compiler here")
	case "silent":
		select {}
	}
	c, err := wire.ReadConnection(connectionFile)
	if err != nil {
		return err
	}
	if flaw == "wrong key" {
		c.Key = "another"
	}
	s, err := wire.Listen(context.Background(), c)
	if err != nil {
		return err
	}
	k := &fakeState{Server: s, interrupted: make(chan struct{}, 10)}
	if flaw == "signals" {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, os.Interrupt)
		go func() {
			for range signals {
				k.interrupted <- struct{}{}
			}
		}()
	}
	cells := make(chan wire.Incoming, 100)
	go func() {
		for r := range cells {
			k.execute(r)
		}
	}()
	for r := range s.Requests() {
		if r.Err != nil {
			// Answer all the same, as a kernel with another key would.
			r.Message = &wire.Message{Header: wire.Header{ID: "unknown", Type: "kernel_info_request"}}
			s.Publish(r.Header, "status", map[string]any{"execution_state": "busy"})
			continue
		}
		switch r.Header.Type {
		case "kernel_info_request":
			s.Publish(r.Header, "status", map[string]any{"execution_state": "busy"})
			s.Reply(r, "kernel_info_reply", map[string]any{"status": "ok", "language_info": map[string]any{"name": "fake", "version": 1.5}})
			s.Publish(r.Header, "status", map[string]any{"execution_state": "idle"})
		case "execute_request":
			cells <- r
		case "complete_request":
			s.Reply(r, "complete_reply", map[string]any{"status": "ok", "matches": []string{"Println"}, "cursor_start": 6, "cursor_end": 9})
		case "inspect_request":
			var c struct {
				At int `json:"cursor_pos"`
			}
			_ = json.Unmarshal(r.Content, &c)
			data := map[string]any{}
			if c.At > 0 {
				data["text/markdown"] = fmt.Sprint("help at ", c.At)
			}
			s.Reply(r, "inspect_reply", map[string]any{"status": "ok", "found": c.At > 0, "data": data})
		case "interrupt_request":
			k.interrupted <- struct{}{}
			s.Reply(r, "interrupt_reply", map[string]any{"status": "ok"})
		case "shutdown_request":
			if flaw == "stays" {
				continue
			}
			s.Reply(r, "shutdown_reply", map[string]any{"status": "ok"})
			time.Sleep(20 * time.Millisecond)
			return nil
		}
	}
	return nil
}

type fakeState struct {
	*wire.Server
	interrupted chan struct{}
	count       int
}

func (k *fakeState) execute(r wire.Incoming) {
	var c struct{ Code string }
	if err := json.Unmarshal(r.Content, &c); err != nil {
		panic(err)
	}
	k.count++
	k.Publish(r.Header, "status", map[string]any{"execution_state": "busy"})
	k.Publish(r.Header, "execute_input", map[string]any{"code": c.Code, "execution_count": k.count})
	reply := map[string]any{"status": "ok", "execution_count": k.count}
	idle, first := true, false
	for line := range strings.Lines(c.Code) {
		command, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch command {
		case "noidle":
			idle = false
		case "idlefirst":
			first = true
			k.Publish(r.Header, "status", map[string]any{"execution_state": "idle"})
		default:
			if trouble := k.run(r, command, rest); trouble != nil {
				k.Publish(r.Header, "error", trouble)
				reply["status"] = "error"
				for key, v := range trouble {
					reply[key] = v
				}
			}
		}
	}
	k.Reply(r, "execute_reply", reply)
	if idle && !first {
		k.Publish(r.Header, "status", map[string]any{"execution_state": "idle"})
	}
}

// run executes one command of a cell.
func (k *fakeState) run(r wire.Incoming, command, rest string) (trouble map[string]any) {
	display := func(typ string) {
		id, text, _ := strings.Cut(rest, " ")
		k.Publish(r.Header, typ, map[string]any{
			"data": map[string]any{"text/plain": text}, "metadata": map[string]any{}, "transient": map[string]any{"display_id": id},
		})
	}
	stream := func(name, text string) { k.Publish(r.Header, "stream", map[string]any{"name": name, "text": text}) }
	fail := func(name, value string) map[string]any {
		return map[string]any{"ename": name, "evalue": value, "traceback": []string{name, value}}
	}
	switch command {
	case "print":
		stream("stdout", rest+"\n")
	case "stderr":
		stream("stderr", rest+"\n")
	case "display":
		display("display_data")
	case "update":
		display("update_display_data")
	case "result":
		k.Publish(r.Header, "execute_result", map[string]any{"data": map[string]any{"text/plain": rest}, "metadata": map[string]any{}, "execution_count": k.count})
	case "clear":
		k.Publish(r.Header, "clear_output", map[string]any{"wait": rest == "wait"})
	case "foreign": // somebody else's output
		k.Publish(wire.Header{ID: "elsewhere"}, "stream", map[string]any{"name": "stdout", "text": rest})
	case "much":
		n, _ := strconv.Atoi(rest)
		for range n {
			stream("stdout", strings.Repeat("é", 500)+"\n")
		}
	case "fail":
		return fail("Trouble", rest)
	case "env":
		stream("stdout", os.Getenv(rest)+"\n")
	case "wait": // for an interrupt
		<-k.interrupted
		return fail("Interrupted", "stopped")
	case "deaf":
		time.Sleep(time.Hour)
	case "crash":
		time.Sleep(50 * time.Millisecond) // what is printed before goes out
		fmt.Fprintln(os.Stderr, "out of "+rest)
		os.Exit(7)
	case "freeze":
		syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		time.Sleep(time.Hour) // it takes effect a little later
	case "pid":
		stream("stdout", strconv.Itoa(os.Getpid()))
	case "orphan": // a process in a group of its own that outlives this one
		cmd := exec.Command("sleep", "1000")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			return fail("Trouble", err.Error())
		}
		stream("stdout", strconv.Itoa(cmd.Process.Pid))
	}
	return nil
}
