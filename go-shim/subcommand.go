package remotewrite

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.k6.io/k6/v2/cmd/state"
	"go.k6.io/k6/v2/errext"
	"go.k6.io/k6/v2/errext/exitcodes"
	"go.k6.io/k6/v2/lib/fsext"
	"golang.org/x/term"
)

// commandDocument is the document of a command of the library. The header describes the fields at k6rw_command_open.
type commandDocument struct {
	Arguments   []string          `json:"arguments"`
	Program     string            `json:"program"`
	Environment map[string]string `json:"environment"`
	JSON        json.RawMessage   `json:"json,omitempty"`
	Run         run               `json:"run"`
	Terminal    terminal          `json:"terminal"`
}

type terminal struct {
	Stdout bool `json:"stdout"`
	Stderr bool `json:"stderr"`
	Width  int  `json:"width,omitempty"`
	Color  bool `json:"color"`
}

// newSubcommand returns `k6 x remote-write`. Its arguments are read, and its help is written, in the library.
func newSubcommand(gs *state.GlobalState) *cobra.Command {
	command := &cobra.Command{
		Use:                Name,
		Short:              "Check receivers of Prometheus Remote Write, and send what a test could not send",
		DisableFlagParsing: true,
		RunE:               func(command *cobra.Command, args []string) error { return runSubcommand(gs, command, args) },
	}
	command.SetHelpFunc(func(command *cobra.Command, _ []string) {
		if err := runSubcommand(gs, command, []string{"--help"}); err != nil {
			gs.Logger.Error(err)
		}
	})
	return command
}

func runSubcommand(gs *state.GlobalState, command *cobra.Command, args []string) error {
	args, err := takeGlobalFlags(command.InheritedFlags(), args)
	if err != nil {
		return errext.WithExitCodeIfNone(err, exitcodes.InvalidConfig)
	}
	config, err := diskConfig(gs)
	if err != nil {
		return errext.WithExitCodeIfNone(err, exitcodes.InvalidConfig)
	}
	document := commandDocument{
		Arguments:   args,
		Program:     command.CommandPath(),
		Environment: libraryVariables(maps.Clone(gs.Env)),
		JSON:        config,
		Run:         run{K6Version: k6Version()},
		Terminal:    terminal{Stdout: gs.Stdout.IsTTY, Stderr: gs.Stderr.IsTTY, Color: !gs.Flags.NoColor},
	}
	for _, stream := range []int{gs.Stdout.RawOutFd, gs.Stderr.RawOutFd} {
		if width, _, err := term.GetSize(stream); err == nil && document.Terminal.Width == 0 {
			document.Terminal.Width = width
		}
	}
	text, err := json.Marshal(document)
	if err != nil {
		return err
	}
	interrupts := notified()
	defer signal.Stop(interrupts)
	return runNativeCommand(text, interrupts, gs.Stdout, gs.Stderr)
}

// takeGlobalFlags sets k6's own flags that are among the arguments, and returns the other arguments. k6 passes all of them to a
// command that reads flags itself.
func takeGlobalFlags(global *pflag.FlagSet, args []string) ([]string, error) {
	others := []string{}
	for i := 0; i < len(args); i++ {
		name, value, joined := strings.Cut(args[i], "=")
		var flag *pflag.Flag
		switch {
		case args[i] == "--":
			return append(others, args[i:]...), nil
		case strings.HasPrefix(name, "--"):
			flag = global.Lookup(name[2:])
		case len(name) == 2 && name[0] == '-':
			flag = global.ShorthandLookup(name[1:])
		}
		switch {
		case flag == nil || flag.Name == "help":
			others = append(others, args[i])
			continue
		case joined:
		case flag.NoOptDefVal != "":
			value = flag.NoOptDefVal
		case i+1 == len(args):
			return nil, fmt.Errorf("flag needs an argument: %s", args[i])
		default:
			i++
			value = args[i]
		}
		if err := global.Set(flag.Name, value); err != nil {
			return nil, err
		}
	}
	return others, nil
}

// diskConfig returns this output's part of k6's configuration file. Only a file that the user names has to exist, as in k6.
func diskConfig(gs *state.GlobalState) (json.RawMessage, error) {
	path := gs.Flags.ConfigFilePath
	text, err := fsext.ReadFile(gs.FS, path)
	if errors.Is(err, fs.ErrNotExist) && path == gs.DefaultFlags.ConfigFilePath {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("couldn't load the configuration from %q: %w", path, err)
	}
	var config struct {
		Collectors map[string]json.RawMessage `json:"collectors"`
	}
	if err := json.Unmarshal(text, &config); err != nil {
		return nil, fmt.Errorf("couldn't parse the configuration from %q: %w", path, err)
	}
	return config.Collectors[Name], nil
}
