//go:build race

package remotewrite

// raceDetector: sync.Pool drops at random what it is given when the race detector runs.
const raceDetector = true
