package notebook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"sgdlab/kernelext/notebook/wire"
)

// KernelSettings are the settings of [Start]; nil or zero fields mean the defaults.
type KernelSettings struct {
	Dir          string            // folder in which cells run; default: the current one
	Env          map[string]string // set for the kernel besides this process's and the kernel.json's variables
	StartTimeout time.Duration     // until the kernel answers; default one minute
	BeatTimeout  time.Duration     // a kernel without a heartbeat for so long is killed; default one minute
	Grace        time.Duration     // between an interrupt and the death of the kernel; default 15 s (GoNB itself kills a program 5 s after an interrupt)
	OutputLimit  int               // bytes of output kept per cell; default 32 MiB
}

// resolve returns s with the defaults filled in.
func (s *KernelSettings) resolve() *KernelSettings {
	r := KernelSettings{}
	if s != nil {
		r = *s
	}
	if r.StartTimeout == 0 {
		r.StartTimeout = time.Minute
	}
	if r.BeatTimeout == 0 {
		r.BeatTimeout = time.Minute
	}
	if r.Grace == 0 {
		r.Grace = 15 * time.Second
	}
	if r.OutputLimit == 0 {
		r.OutputLimit = 32 << 20
	}
	return &r
}

// Kernel is a running kernel. Its methods may be called by several goroutines; Execute
// calls wait for each other.
type Kernel struct {
	spec     *Spec
	settings *KernelSettings
	process  *process
	client   *wire.Client
	info     map[string]any // language_info

	running sync.Mutex // held during Execute
	closing sync.Once
	closed  error

	mu       sync.Mutex
	current  *execution
	asked    map[string]chan<- json.RawMessage // answers to other requests that are waited for, by their ids
	displays map[string][]*Output              // by display id, also those of earlier cells
	refused  error                             // why the last message was refused
	hung     bool                              // killed for want of a heartbeat
	drained  chan struct{}                     // closed when no messages will come any more
}

// Reply is what executing a cell gave.
type Reply struct {
	Status         string // "ok", "error" or "aborted"; empty if the kernel gave no answer
	ExecutionCount int    // 0 if there is none
	Ename, Evalue  string
	Outputs        []*Output // an output with a display id changes when a later cell updates it
	Seconds        float64
}

// DeathError is returned when a kernel cannot be started, ends, or has to be killed.
type DeathError struct {
	Reason    string
	LastWords string // what it wrote to standard error, the last lines
}

func (e *DeathError) Error() string {
	text := "notebook: " + e.Reason
	if e.LastWords != "" {
		text += "; its last words: " + e.LastWords
	}
	return text
}

// errNoAnswer ends the wait for a kernel that has started.
var errNoAnswer = errors.New("time-out")

// Start starts a kernel and waits until it answers. Close ends it; the end of ctx does
// so only during Start.
func Start(ctx context.Context, spec *Spec, settings *KernelSettings) (*Kernel, error) {
	s := settings.resolve()
	begin := time.Now()
	for {
		k, err := start(ctx, spec, s)
		// On systems with one loopback address another program may have taken a port.
		if err == nil || !strings.Contains(err.Error(), "address already in use") || time.Since(begin) > s.StartTimeout {
			return k, err
		}
	}
}

func start(ctx context.Context, spec *Spec, s *KernelSettings) (*Kernel, error) {
	connection, err := wire.NewConnection()
	if err != nil {
		return nil, err
	}
	k := &Kernel{spec: spec, settings: s, displays: map[string][]*Output{}, asked: map[string]chan<- json.RawMessage{}, drained: make(chan struct{})}
	if k.process, err = startProcess(spec, connection, s); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.StartTimeout, errNoAnswer)
	defer cancel()
	ctx, ended := context.WithCancelCause(ctx)
	defer ended(nil)
	go func() {
		select {
		case <-k.process.dead:
			ended(k.death(fmt.Sprintf("the kernel %q ended at its start: %v", spec.DisplayName, k.process.err)))
		case <-ctx.Done():
		}
	}()
	if err := k.connect(ctx, connection); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		if errors.Is(err, errNoAnswer) {
			reason := fmt.Sprintf("the kernel %q gave no answer within %v", spec.DisplayName, s.StartTimeout)
			if k.refused != nil {
				reason += fmt.Sprintf(" (%v)", k.refused)
			}
			err = k.death(reason)
		}
		k.kill()
		return nil, err
	}
	go k.watch()
	return k, nil
}

// death returns the error for an end of the kernel.
func (k *Kernel) death(reason string) *DeathError {
	return &DeathError{Reason: reason, LastWords: k.process.lastWords()}
}

// askEvery is the time after which an unanswered question at the start is asked again.
const askEvery = 200 * time.Millisecond

// connect dials the kernel and waits until it has answered a request and its outputs
// arrive: a subscription takes effect some time after it is made.
func (k *Kernel) connect(ctx context.Context, c *wire.Connection) error {
	client, err := wire.Dial(ctx, c)
	if err != nil {
		return err
	}
	k.client = client
	subscribed := false
	for {
		if _, err := client.Send(wire.Shell, "kernel_info_request", struct{}{}); err != nil {
			return err
		}
		again := time.After(askEvery)
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-again:
				waiting = false
			case m, ok := <-client.Messages():
				switch {
				case !ok:
					<-ctx.Done() // the process ends or the time runs out
					return context.Cause(ctx)
				case m.Err != nil:
					k.refused = m.Err
				case m.Channel == wire.IOPub:
					subscribed = true
				case m.Header.Type == "kernel_info_reply":
					var reply struct {
						Language map[string]any `json:"language_info"`
					}
					if err := json.Unmarshal(m.Content, &reply); err != nil {
						return fmt.Errorf("notebook: the kernel's description of itself: %w", err)
					}
					if k.info = reply.Language; k.info == nil {
						k.info = map[string]any{}
					}
				}
				if subscribed && k.info != nil {
					go k.listen()
					return nil
				}
			}
		}
	}
}

// LanguageInfo returns what the kernel says about its language, the language_info of a
// notebook's metadata.
func (k *Kernel) LanguageInfo() map[string]any { return k.info }

// listen gives each message to the cell that it belongs to.
func (k *Kernel) listen() {
	defer close(k.drained)
	for m := range k.client.Messages() {
		k.mu.Lock()
		answer, ok := k.asked[m.Parent.ID]
		switch {
		case m.Err != nil:
			k.refused = m.Err
		case ok && m.Channel == wire.Shell:
			delete(k.asked, m.Parent.ID)
			answer <- m.Content
		default:
			k.receive(m)
		}
		k.mu.Unlock()
	}
}

// watch kills a kernel whose heart has stopped.
func (k *Kernel) watch() {
	tick := time.NewTicker(k.settings.BeatTimeout / 8)
	defer tick.Stop()
	for {
		select {
		case <-k.process.dead:
			return
		case <-tick.C:
			if time.Since(k.client.LastBeat()) > k.settings.BeatTimeout {
				k.mu.Lock()
				k.hung = true
				k.mu.Unlock()
				k.kill()
				return
			}
		}
	}
}

// execution is a cell that runs.
type execution struct {
	id            string
	reply         *Reply
	replied, idle bool
	heard         time.Time           // when something last arrived for it
	clearNext     bool                // clear_output with wait
	texts         map[string]*printed // the streams that still grow, by name
	size          int                 // of the outputs
	full          bool                // the outputs have passed the limit
	done          chan struct{}
}

// Execute runs code as a cell and waits for its end. What a cell does wrong is in the
// reply; an error means that there is no proper reply. Such a cell has not run to its
// end, but the reply holds the outputs so far.
//
// When ctx ends the cell is interrupted, and if it does not stop the kernel is killed;
// the error wraps the cause of ctx. If the kernel ends or is killed the error is a
// [*DeathError].
func (k *Kernel) Execute(ctx context.Context, code string) (*Reply, error) {
	k.running.Lock()
	defer k.running.Unlock()
	if cause := context.Cause(ctx); cause != nil {
		return &Reply{}, cause
	}
	begin := time.Now()
	e := &execution{reply: &Reply{}, done: make(chan struct{}), heard: begin}
	// The lock keeps an answer from coming before the identifier is known.
	k.mu.Lock()
	id, err := k.client.Send(wire.Shell, "execute_request", map[string]any{
		"code": code, "silent": false, "store_history": true, "user_expressions": struct{}{},
		"allow_stdin": false, "stop_on_error": true,
	})
	e.id = id
	k.current = e
	k.mu.Unlock()
	if err == nil {
		err = k.wait(ctx, e)
	} else {
		select {
		case <-k.process.dead: // which is why nothing can be sent
			err = k.died(err)
		default:
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.current = nil
	e.settle()
	e.reply.Seconds = time.Since(begin).Seconds()
	return e.reply, err
}

// wait waits for the end of a cell, see Execute.
func (k *Kernel) wait(ctx context.Context, e *execution) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-e.done:
			return nil
		case <-k.process.dead:
			return k.died(nil)
		case <-ctx.Done():
			return k.stop(context.Cause(ctx), e)
		case <-tick.C:
			// A publisher may lose messages, also the one that says "idle".
			k.mu.Lock()
			lost := e.replied && time.Since(e.heard) > k.settings.Grace
			k.mu.Unlock()
			if lost {
				return nil
			}
		}
	}
}

// died returns the error for a kernel that has died during a cell, after all that it had
// sent before has arrived.
func (k *Kernel) died(cause error) error {
	select {
	case <-k.drained:
	case <-time.After(time.Second):
	}
	k.mu.Lock()
	hung := k.hung
	k.mu.Unlock()
	var death *DeathError
	if hung {
		death = k.death(fmt.Sprintf("the kernel did not answer for %v and was killed", k.settings.BeatTimeout))
	} else {
		death = k.death(fmt.Sprintf("the kernel died: %v", k.process.err))
	}
	if cause != nil {
		return fmt.Errorf("%w (%w)", cause, death)
	}
	return death
}

// stop interrupts a cell, and kills the kernel if that does not help.
func (k *Kernel) stop(cause error, e *execution) error {
	end := time.After(k.settings.Grace)
	again := time.NewTicker(time.Second) // GoNB loses interrupts that come while it builds
	defer again.Stop()
	for {
		if err := k.Interrupt(); err != nil {
			return errors.Join(cause, err)
		}
		select {
		case <-e.done:
			return cause
		case <-k.process.dead:
			return k.died(cause)
		case <-again.C:
		case <-end:
			k.kill()
			<-k.process.dead
			return fmt.Errorf("%w; the cell did not stop within %v of an interrupt, the kernel was killed (%w)", cause, k.settings.Grace,
				&DeathError{Reason: "the kernel was killed"})
		}
	}
}

// Complete returns what may stand at the end of code, as the Tab key asks for it: words
// that replace its last bytes from start on.
func (k *Kernel) Complete(ctx context.Context, code string) (matches []string, start int, err error) {
	var reply struct {
		Matches []string `json:"matches"`
		Start   int      `json:"cursor_start"` // in characters
	}
	err = k.ask(ctx, "complete_request", map[string]any{"code": code, "cursor_pos": utf8.RuneCountInString(code)}, &reply)
	runes := []rune(code)
	return reply.Matches, len(string(runes[:min(max(0, reply.Start), len(runes))])), err
}

// Inspect returns the help, in Markdown, on what stands in code at the byte at, as Shift
// and Tab ask for it; it is empty if there is none.
func (k *Kernel) Inspect(ctx context.Context, code string, at int) (string, error) {
	var reply struct {
		Data map[string]any `json:"data"`
	}
	err := k.ask(ctx, "inspect_request", map[string]any{"code": code, "cursor_pos": utf8.RuneCountInString(code[:at]), "detail_level": 0}, &reply)
	for _, kind := range []string{"text/markdown", "text/plain"} {
		if s, ok := reply.Data[kind].(string); ok {
			return s, err
		}
	}
	return "", err
}

// ask sends a request that is no cell and decodes its answer.
func (k *Kernel) ask(ctx context.Context, kind string, content, reply any) error {
	answer := make(chan json.RawMessage, 1)
	k.mu.Lock() // the answer does not come before its identifier is known
	id, err := k.client.Send(wire.Shell, kind, content)
	k.asked[id] = answer
	k.mu.Unlock()
	defer func() {
		k.mu.Lock()
		delete(k.asked, id)
		k.mu.Unlock()
	}()
	if err != nil {
		return err
	}
	select {
	case b := <-answer:
		if err := json.Unmarshal(b, reply); err != nil {
			return fmt.Errorf("notebook: the kernel's answer to a %s: %w", kind, err)
		}
		return nil
	case <-k.process.dead:
		return k.died(nil)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Interrupt asks the kernel to stop the cell that runs.
func (k *Kernel) Interrupt() error {
	if k.spec.InterruptMode != "message" {
		return k.process.interrupt()
	}
	_, err := k.client.Send(wire.Control, "interrupt_request", struct{}{})
	return err
}

// Close shuts the kernel down; whatever it has started ends with it. Further calls return
// the same error.
func (k *Kernel) Close() error {
	k.closing.Do(func() {
		wait := time.Duration(0)
		select {
		case <-k.process.dead:
		default:
			if _, err := k.client.Send(wire.Control, "shutdown_request", map[string]any{"restart": false}); err == nil {
				wait = min(5*time.Second, k.settings.Grace)
			}
		}
		k.end(wait)
	})
	return k.closed
}

// kill ends the kernel without asking.
func (k *Kernel) kill() { k.closing.Do(func() { k.end(0) }) }

func (k *Kernel) end(wait time.Duration) {
	k.closed = k.process.end(wait)
	if k.client != nil {
		k.client.Close()
	}
}
