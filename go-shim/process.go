package remotewrite

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// process is what all outputs of this process share.
var process = outputs{open: make(map[*Output]struct{})}

// outputs handles signals for outputs, and closes those of one test together: k6 stops its outputs one after the other, and all
// of them should take no longer than the slowest.
//
// Before k6 stops the first output, it has handed all samples to all outputs, and handles signals no more.
type outputs struct {
	mutex sync.Mutex
	// open has the outputs that were started or used, until their close has ended. The number of those that close is closing.
	open    map[*Output]struct{}
	closing int
	// ignored keeps signals from ending the process while an output has samples. Nothing reads it.
	ignored chan os.Signal
	// interrupts has the signals since the first of these outputs began to close; nil while none closes. A signal before that is
	// k6's, and may have made it stop the outputs.
	interrupts chan os.Signal
}

// add makes an output one of those that are closed with the others of its test.
func (p *outputs) add(o *Output) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if !o.closing {
		p.open[o] = struct{}{}
	}
}

// protect keeps signals from ending the process until the close of this output has ended. k6 handles them while the test runs. It
// starts to do so after it has started the outputs and before the first samples: until then a Ctrl-C must end k6.
func (p *outputs) protect(o *Output) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if o.closing {
		return
	}
	p.open[o] = struct{}{}
	if p.ignored == nil {
		p.ignored = notified()
	}
}

// close closes an output and all others of its test, unless that has begun, and waits for its end.
func (p *outputs) close(o *Output) error {
	begun := p.beginClose(o)
	for _, each := range begun {
		each.pushThresholds()
	}
	for _, each := range begun {
		go func() {
			each.end()
			p.endClose(each)
		}()
	}
	<-o.closed
	return o.closeError
}

// beginClose returns the outputs whose close is to begin.
func (p *outputs) beginClose(o *Output) []*Output {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if !o.closing {
		p.open[o] = struct{}{}
	}
	var begun []*Output
	for each := range p.open {
		if !each.closing && (each == o || each.test != nil && each.test == o.test) {
			each.closing = true
			begun = append(begun, each)
		}
	}
	p.closing += len(begun)
	if p.interrupts == nil && p.closing > 0 {
		p.interrupts = notified()
		go p.cancelFlushes(p.interrupts)
	}
	return begun
}

func (p *outputs) endClose(o *Output) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	delete(p.open, o)
	p.closing--
	if p.closing == 0 {
		signal.Stop(p.interrupts)
		close(p.interrupts)
		p.interrupts = nil
	}
	if len(p.open) == 0 && p.ignored != nil {
		signal.Stop(p.ignored)
		p.ignored = nil
	}
}

// cancelFlushes ends the waiting of all outputs on each signal.
func (p *outputs) cancelFlushes(interrupts <-chan os.Signal) {
	for range interrupts {
		p.mutex.Lock()
		for each := range p.open {
			each.library.cancelFlush()
		}
		p.mutex.Unlock()
	}
}

// notified returns a channel for the signals that ask a program to end.
func notified() chan os.Signal {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	return signals
}
