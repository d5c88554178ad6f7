package remotewrite

import (
	"encoding/json"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"go.k6.io/k6/v2/lib"
	"go.k6.io/k6/v2/metrics"
	"go.k6.io/k6/v2/output"
)

// variablePrefixes begin the environment variables that the library gets: those of this output and of k6's own, those of the
// extension before it, whose users get a warning, and those of AWS.
var variablePrefixes = []string{"K6_PROMETHEUS_", "K6_KEEP_", "K6_CA_CERT_FILE", "AWS_"}

// cloudTestRunID is the variable with the id of the run in k6 Cloud.
const cloudTestRunID = "K6_CLOUDRUN_TEST_RUN_ID"

// outVariable is k6's variable for --out.
const outVariable = "K6_OUT"

// document has all options by source, as the user wrote them. The library parses and validates them. The header describes the
// fields at k6rw_open.
type document struct {
	Argument    string            `json:"argument"`
	Environment map[string]string `json:"environment"`
	JSON        json.RawMessage   `json:"json,omitempty"`
	Script      script            `json:"script"`
	Run         run               `json:"run"`
}

type script struct {
	Ext   json.RawMessage `json:"ext,omitempty"`
	Cloud json.RawMessage `json:"cloud,omitempty"`
}

type run struct {
	Tags             map[string]string     `json:"tags,omitempty"`
	ExecutionSegment *lib.ExecutionSegment `json:"executionSegment,omitempty"`
	Features         []string              `json:"features,omitempty"`
	CloudTestRunID   string                `json:"cloudTestRunId,omitempty"`
	K6Version        string                `json:"k6Version,omitempty"`
	Script           string                `json:"script,omitempty"`
	Scenarios        []string              `json:"scenarios,omitempty"`
	OtherOutputs     []string              `json:"otherOutputs,omitempty"`
	SystemMetadata   []string              `json:"systemMetadata,omitempty"`
}

// gatherOptions collects the document from the parameters of an output.
func gatherOptions(params output.Params) ([]byte, error) {
	about := run{
		Tags:             params.ScriptOptions.RunTags,
		ExecutionSegment: params.ScriptOptions.ExecutionSegment,
		CloudTestRunID:   params.RuntimeOptions.Env[cloudTestRunID],
		K6Version:        k6Version(),
		Scenarios:        slices.Collect(maps.Keys(params.ScriptOptions.Scenarios)),
		OtherOutputs:     otherOutputs(os.Args[1:], params.Environment),
		Features:         activeFeatures(params),
	}
	if tags := params.ScriptOptions.SystemTags; tags != nil {
		about.SystemMetadata = enabled(*tags & metrics.NonIndexableSystemTags)
	}
	if params.ScriptPath != nil {
		about.Script = params.ScriptPath.String()
	}
	return json.Marshal(document{
		Argument:    params.ConfigArgument,
		Environment: variables(params, os.Args[1:]),
		JSON:        params.JSONConfig,
		Script: script{
			Ext:   params.ScriptOptions.External["loadimpact"],
			Cloud: params.ScriptOptions.Cloud,
		},
		Run: about,
	})
}

// variables returns the environment of the test as far as it concerns the library. Variables of -e take precedence over those of
// the system, and these over those that `k6 archive -e` has put into an archive. k6 adds -e to the system's only with
// --include-system-env-vars, and has all of it in the runtime options, where the archive's look the same: an archive of
// someone else must not send the system's credentials to its own URL.
func variables(params output.Params, args []string) map[string]string {
	all := maps.Clone(params.Environment)
	if all == nil {
		all = make(map[string]string)
	}
	given := make(map[string]bool)
	for _, pair := range flagValues(args, "env", "e") {
		name, _, _ := strings.Cut(pair, "=")
		given[name] = true
	}
	for name, value := range params.RuntimeOptions.Env {
		if _, exists := all[name]; !exists || given[name] {
			all[name] = value
		}
	}
	return libraryVariables(all)
}

// libraryVariables removes the variables that do not concern the library, and returns the others.
func libraryVariables(all map[string]string) map[string]string {
	maps.DeleteFunc(all, func(name, _ string) bool {
		return !slices.ContainsFunc(variablePrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
	})
	return all
}

// enabled returns the names of a set of system tags in one order.
func enabled(tags metrics.SystemTagSet) []string {
	return slices.Sorted(maps.Keys(tags.Map()))
}

// flagValues returns the values of a flag of k6 that can be given several times.
func flagValues(args []string, long, short string) []string {
	var values []string
	for i, arg := range args {
		if value, joined := strings.CutPrefix(arg, "--"+long+"="); joined {
			values = append(values, value)
		} else if (arg == "--"+long || arg == "-"+short) && i+1 < len(args) {
			values = append(values, args[i+1])
		} else if value, joined := strings.CutPrefix(arg, "-"+short); joined && value != "" {
			values = append(values, strings.TrimPrefix(value, "="))
		}
	}
	return values
}

// otherOutputs returns the names of k6's outputs of other kinds: those of --out or, without it, of K6_OUT. k6 does not pass them to
// outputs.
func otherOutputs(args []string, environment map[string]string) []string {
	all := flagValues(args, "out", "o")
	if variable := environment[outVariable]; len(all) == 0 && variable != "" {
		all = strings.Split(variable, ",")
	}
	var names []string
	for _, each := range all {
		// What follows may be a secret.
		name, _, _ := strings.Cut(each, "=")
		if name != Name && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// k6Version returns the version of the k6 that this extension is part of. It is empty in programs of `go test`.
func k6Version() string {
	if built, known := debug.ReadBuildInfo(); known {
		for _, module := range append(built.Deps, &built.Main) {
			if module.Path == k6Module {
				return module.Version
			}
		}
	}
	return ""
}
