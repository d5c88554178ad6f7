package harness

// What k6-operator does with a TestRun: the command line of each runner, and the request that resumes it.

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
)

// TestRun is the part of the operator's resource that the example uses (k6.io/v1alpha1). A field that is not here is a mistake,
// or has to be added.
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

// Arguments are those of runner `index`, from 1 on, behind `k6 run` and before the script, at an address of ours.
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
		"--address=127.0.0.1:0", // the operator's is 0.0.0.0:6565
		"--paused",
		"--tag", fmt.Sprintf("instance_id=%d", index),
		"--tag", "testrun_name=" + t.Metadata.Name,
	}, strings.Fields(t.Spec.Arguments)...)
}

// Resume does what the operator's starter does to a paused runner.
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
		return fmt.Errorf("%s answered %s", address, response.Status)
	}
	return nil
}
