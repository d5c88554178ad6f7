package harness

// Runners of a TestRun of k6-operator: the command line of each, and the request that resumes it.

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
)

// TestRun has the fields of the operator's resource (k6.io/v1alpha1) that the example uses. Unknown fields are errors.
type TestRun struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name string }
	Spec       struct {
		Parallelism int
		Separate    bool
		Cleanup     string
		Script      struct {
			ConfigMap struct{ Name, File string } `yaml:"configMap"`
		}
		Arguments string
		Runner    struct {
			Image   string
			EnvFrom []struct {
				SecretRef struct{ Name string } `yaml:"secretRef"`
			} `yaml:"envFrom"`
			Env       []struct{ Name, Value string }
			Resources struct{ Requests map[string]string }
		}
	}
}

// Arguments returns the arguments of runner `index` (from 1), between `k6 run` and the script, with a REST address for tests.
func (t *TestRun) Arguments(index int) []string {
	part := func(index int) string {
		switch index {
		case 0:
			return "0"
		case t.Spec.Parallelism:
			return "1"
		default:
			return fmt.Sprintf("%d/%d", index, t.Spec.Parallelism)
		}
	}
	sequence := make([]string, t.Spec.Parallelism+1)
	for i := range sequence {
		sequence[i] = part(i)
	}
	return append([]string{
		"--quiet",
		"--execution-segment=" + part(index-1) + ":" + part(index),
		"--execution-segment-sequence=" + strings.Join(sequence, ","),
		"--address=127.0.0.1:0", // the operator has 0.0.0.0:6565
		"--paused",
		"--tag", fmt.Sprintf("instance_id=%d", index),
		"--tag", "testrun_name=" + t.Metadata.Name,
	}, strings.Fields(t.Spec.Arguments)...)
}

// Resume resumes a paused runner, as the operator's starter does.
func Resume(address string) error {
	const body = `{"data":{"attributes":{"paused":false},"id":"default","type":"status"}}`
	request, err := http.NewRequest(http.MethodPatch, "http://"+address+"/v1/status", bytes.NewBufferString(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s responded with %s", address, response.Status)
	}
	return nil
}
