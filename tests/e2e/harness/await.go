package harness

import (
	"fmt"
	"time"
)

// Await returns nil as soon as condition holds, or an error that names what was awaited when the limit has passed.
func Await(what string, limit time.Duration, condition func() bool) error {
	deadline := time.Now().Add(limit)
	for !condition() {
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %s for %s without success", limit, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}
