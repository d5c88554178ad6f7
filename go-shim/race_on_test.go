//go:build race

package remotewrite

// raceDetector is true if the race detector runs, in which sync.Pool drops items at random.
const raceDetector = true
