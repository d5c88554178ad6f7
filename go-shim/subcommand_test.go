package remotewrite

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.k6.io/k6/v2/cmd/state"
	"go.k6.io/k6/v2/errext"
)

// runCommand runs `k6 x remote-write` with these arguments and k6's own configuration file. Returns its standard output.
func runCommand(t *testing.T, config string, environment map[string]string, args ...string) (string, error) {
	t.Helper()
	gs := state.NewGlobalState(t.Context())
	gs.Env = environment
	gs.Flags.ConfigFilePath = config
	var stdout bytes.Buffer
	gs.Stdout.Writer, gs.Stdout.IsTTY = &stdout, false
	root := &cobra.Command{Use: "k6", SilenceUsage: true, SilenceErrors: true}
	root.PersistentFlags().StringVarP(&gs.Flags.ConfigFilePath, "config", "c", gs.Flags.ConfigFilePath, "")
	x := &cobra.Command{Use: "x", DisableFlagParsing: true}
	x.AddCommand(newSubcommand(gs))
	root.AddCommand(x)
	root.SetArgs(append([]string{"x", Name}, args...))
	err := root.Execute()
	return stdout.String(), err
}

// exitCode returns the exit code of k6 for an error.
func exitCode(t *testing.T, err error) int {
	t.Helper()
	var coded errext.HasExitCode
	require.True(t, errors.As(err, &coded), "%v", err)
	return int(coded.ExitCode())
}

func TestACheckReadsTheSourcesOfARun(t *testing.T) {
	t.Parallel()
	r := startReceiver(t)
	config := filepath.Join(t.TempDir(), "config.json")
	content := `{"collectors": {"remote-write": {"url": "` + r.URL + `", "timeout": "7s"}}}`
	require.NoError(t, os.WriteFile(config, []byte(content), 0o600))
	variables := map[string]string{"K6_PROMETHEUS_RW_METRIC_PREFIX": "my_", "OTHER": "1"}

	output, err := runCommand(t, "", variables, "check", "--json", "--config", config)

	require.NoError(t, err)
	var result struct{ OK bool }
	require.NoError(t, json.Unmarshal([]byte(output), &result))
	assert.True(t, result.OK)
	assert.Contains(t, output, "7s")
	assert.Contains(t, r.all(), "__name__=my_remote_write_check")
}

func TestAFailedCommandHasAnExitCode(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none.json")
	for _, failing := range []struct {
		args []string
		code int
		part string
	}{
		{[]string{"check", "ftp://example.com"}, 1, "the configuration is not valid"},
		{[]string{"chekc"}, 2, "did you mean check?"},
		{[]string{"check", "--config", none}, 104, "couldn't load the configuration"},
		{[]string{"check", "--config"}, 104, "flag needs an argument: --config"},
	} {
		config := filepath.Join(t.TempDir(), "config.json")
		require.NoError(t, os.WriteFile(config, []byte("{}"), 0o600))
		_, err := runCommand(t, config, nil, failing.args...)
		require.ErrorContains(t, err, failing.part)
		assert.Equal(t, failing.code, exitCode(t, err), "%v", failing.args)
	}
}

func TestTheHelpIsTheLibrarys(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "config.json")
	require.NoError(t, os.WriteFile(config, []byte("{}"), 0o600))
	for _, args := range [][]string{nil, {"--help"}, {"help"}} {
		output, err := runCommand(t, config, nil, args...)
		require.NoError(t, err)
		assert.Contains(t, output, "Usage: k6 x remote-write <command>")
	}
}

func TestFlagsOfK6AreTakenOutOfTheArguments(t *testing.T) {
	t.Parallel()
	for _, arguments := range []struct {
		args, others  []string
		config        string
		quiet, failed bool
	}{
		{args: []string{"check", "--config", "a", "--json", "-q"}, others: []string{"check", "--json"}, config: "a", quiet: true},
		{args: []string{"--config=a=b", "check", "--quiet=false"}, others: []string{"check"}, config: "a=b"},
		{args: []string{"-c", "a", "x", "--", "-q"}, others: []string{"x", "--", "-q"}, config: "a"},
		{args: []string{"check", "--help", "-h", "-"}, others: []string{"check", "--help", "-h", "-"}},
		{args: []string{"check", "-c"}, failed: true},
		{args: []string{"check", "--quiet=maybe"}, failed: true},
	} {
		global := pflag.NewFlagSet("", pflag.ContinueOnError)
		config := global.StringP("config", "c", "", "")
		quiet := global.BoolP("quiet", "q", false, "")
		others, err := takeGlobalFlags(global, arguments.args)
		if arguments.failed {
			require.Error(t, err, "%v", arguments.args)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, arguments.others, others)
		assert.Equal(t, arguments.config, *config)
		assert.Equal(t, arguments.quiet, *quiet)
	}
}
