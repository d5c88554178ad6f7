package harness

import (
	"fmt"
	"time"
)

// Await returns as soon as condition holds, or an error that says what did not come within the limit.
func Await(what string, limit time.Duration, condition func() bool) error {
	deadline := time.Now().Add(limit)
	for !condition() {
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %s in vain for %s", limit, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}
