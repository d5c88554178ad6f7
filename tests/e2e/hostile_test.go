package e2e

// Hostile receivers: k6 ends in time, and does not use more memory than with a receiver that does not respond.

import (
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAHostileReceiverDoesNotDelayK6(t *testing.T) {
	t.Parallel()
	for name, respond := range map[string]func(w io.Writer){
		"silence":                   func(io.Writer) { time.Sleep(time.Minute) },
		"endless interim responses": endless("", "HTTP/1.1 103 Early Hints\r\n\r\n"),
		"headers without end":       endless("HTTP/1.1 200 OK\r\n", "X-Name: value\r\n"),
		"a header without end":      endless("HTTP/1.1 200 OK\r\nX-Name: ", "value"),
		"a body without end":        endless("HTTP/1.1 503 No\r\nRetry-After: 0\r\n\r\n", "and so on "),
		"a pause without end": func(w io.Writer) {
			_, _ = io.WriteString(w, "HTTP/1.1 429 No\r\nRetry-After: 99999999999\r\nContent-Length: 0\r\n\r\n")
		},
		"a byte now and then": func(w io.Writer) {
			for {
				if _, err := io.WriteString(w, "H"); err != nil {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			load := shortLoad(t)
			load.Options = map[string]any{"url": startHostile(t, respond), "timeout": "300ms", "flushTimeout": "500ms"}
			began := time.Now()
			result := run(t, load)
			if took := time.Since(began); took > 8*time.Second {
				t.Errorf("a run of a second ended after %v:\n%s", took, result.LogText())
			}
			usage, _ := result.State.SysUsage().(*syscall.Rusage)
			if megabytes := usage.Maxrss / 1024; megabytes > 200 {
				t.Errorf("k6 used %d MB", megabytes)
			}
			for _, line := range result.Log {
				if message, _ := line.Fields["error"].(string); len(message) > 1000 {
					t.Errorf("a line is too long: %s", line)
				}
			}
		})
	}
}

// A request that is larger than the kernel's buffers of a connection is still being written when the receiver closes it. The
// resulting signal would end k6, since the thread that gets it is not a Go thread.
func TestAReceiverThatClosesTheConnectionOfALargeRequestDoesNotEndK6(t *testing.T) {
	t.Parallel()
	hangUp := func(w io.Writer) {
		if connection, is := w.(*net.TCPConn); is {
			_ = connection.CloseWrite()
		}
	}
	load := shortLoad(t)
	load.Script = "tests/e2e/scripts/large_bodies.js"
	load.Options = map[string]any{"url": startHostile(t, hangUp), "protocol": "1.0", "maxShards": 1, "flushTimeout": "1s", "unsentDirectory": ""}

	result := run(t, load)

	if warnings := linesOf(result, "warning"); len(warnings) != 1 {
		t.Errorf("expected one warning:\n%s", result.LogText())
	}
}

// startHostile starts a receiver that responds to every request with respond, and returns its URL.
func startHostile(t *testing.T, respond func(w io.Writer)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = connection.Read(make([]byte, 4096))
				respond(connection)
				_ = connection.Close()
			}()
		}
	}()
	return "http://" + listener.Addr().String() + "/api/v1/write"
}

func endless(head, more string) func(w io.Writer) {
	return func(w io.Writer) {
		_, err := io.WriteString(w, head)
		for much := strings.Repeat(more, 1000); err == nil; {
			_, err = io.WriteString(w, much)
		}
	}
}
