package e2e

// A receiver that means harm: k6 ends in time, and takes no more memory than with one that answers nothing.

import (
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAHostileReceiverHoldsUpNobody(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(w io.Writer){
		"silence":                     func(io.Writer) { time.Sleep(time.Minute) },
		"interim answers without end": endless("", "HTTP/1.1 103 Early Hints\r\n\r\n"),
		"headers without end":         endless("HTTP/1.1 200 OK\r\n", "X-Name: value\r\n"),
		"a header without end":        endless("HTTP/1.1 200 OK\r\nX-Name: ", "value"),
		"a body without end":          endless("HTTP/1.1 503 No\r\nRetry-After: 0\r\n\r\n", "and so on "),
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
			load.Options = map[string]any{"url": startHostile(t, answer), "timeout": "300ms", "flushTimeout": "500ms"}
			began := time.Now()
			result := run(t, load)
			if took := time.Since(began); took > 8*time.Second {
				t.Errorf("k6 took %v for a second:\n%s", took, result.LogText())
			}
			usage, _ := result.State.SysUsage().(*syscall.Rusage)
			if megabytes := usage.Maxrss / 1024; megabytes > 200 {
				t.Errorf("k6 took %d MB", megabytes)
			}
			for _, line := range result.Log {
				if said, _ := line.Fields["error"].(string); len(said) > 1000 {
					t.Errorf("a line is long: %s", line)
				}
			}
		})
	}
}

// A request that is larger than what the kernel keeps of a connection is still being written when the receiver hangs up. The
// signal that comes of it would end k6, since the thread that gets it is not Go's.
func TestAReceiverThatHangsUpOnALargeRequestDoesNotEndK6(t *testing.T) {
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

// startHostile answers whatever comes as it is told, and returns its URL.
func startHostile(t *testing.T, answer func(w io.Writer)) string {
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
				answer(connection)
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
