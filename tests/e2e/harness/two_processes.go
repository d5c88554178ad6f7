package harness

// Receivers of two processes: one that is written to, and one that is queried.

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// queried returns the process that executes queries.
func (r *Receiver) queried() *Receiver {
	if r.reader != nil {
		return r.reader
	}
	return r
}

// startReader starts the process that is queried, unless it runs. One without data starts again with the receiver, since it
// would connect to that only seconds later.
func (r *Receiver) startReader(keep bool) error {
	switch {
	case r.reader == nil:
	case r.Kind == VMAgent:
		return nil
	default:
		r.reader.Stop()
	}
	reader, err := newReceiver(flavours[r.Kind].reader)
	if err != nil {
		return err
	}
	r.reader = reader
	if r.Kind == VMAgent {
		return reader.start(r.Address("store"), keep)
	}
	reader.addresses["store"] = r.Address("grpc")
	return reader.start("127.0.0.1:0", keep)
}

// Store returns the receiver behind a relay, to stop it and start it again.
func (r *Receiver) Store() *Receiver { return r.reader }

// relayTimeout is for a relay whose store was away: vmagent waits up to a minute before it tries again.
const relayTimeout = 70 * time.Second

// awaitRelay waits until the store has what a vmagent has accepted so far. vmagent looks each second, or a tenth later, whether
// it has gathered samples for a second, and then queues them.
func (r *Receiver) awaitRelay() error {
	ended := lastEnd.Load()
	if ended == r.settled {
		return nil
	}
	time.Sleep(1100 * time.Millisecond) // its metrics are up to a second old
	accepted, err := r.OwnMetric("vmagent_rows_inserted_total", AnyLabels)
	if err != nil || accepted == r.relayed {
		r.settled = ended
		return err
	}
	time.Sleep(1500 * time.Millisecond)
	var state string
	err = Await("vmagent to relay what it has", relayTimeout, func() bool {
		waiting, err1 := r.OwnMetric("vmagent_remotewrite_pending_data_bytes", AnyLabels)
		queued, err2 := r.OwnMetric("vmagent_remotewrite_block_size_bytes_count", AnyLabels)
		sent, err3 := r.OwnMetric("vmagent_remotewrite_blocks_sent_total", AnyLabels)
		state = fmt.Sprintf("%v bytes wait, %v of %v blocks were sent, %v", waiting, sent, queued, errors.Join(err1, err2, err3))
		return err1 == nil && err2 == nil && err3 == nil && waiting == 0 && sent >= queued
	})
	if err != nil {
		return fmt.Errorf("%w: %s", err, state)
	}
	r.relayed, r.settled = accepted, ended
	return nil
}

// fixed returns an address with a port, for programs that log the address as it was given.
func (r *Receiver) fixed(address string) string {
	if strings.HasSuffix(address, ":0") {
		return r.Address("main")
	}
	return address
}

// firstPort and lastPort enclose the ports of receivers: below those that the system gives to clients, of which one could take a
// port before its receiver listens, or while that is restarted.
const firstPort, lastPort = 20_000, 32_000

var nextPort atomic.Int64

func init() { nextPort.Store(time.Now().UnixNano()) } // programs that run at the same time begin at different ports

// freePort returns a port on which no program listens, and that this program has not returned before.
func freePort() string {
	for {
		port := firstPort + int(nextPort.Add(1)%(lastPort-firstPort))
		listener, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			listener.Close()
			return strconv.Itoa(port)
		}
	}
}
