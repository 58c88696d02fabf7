package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const (
	configName    = "billd.toml"
	machineConfig = "/etc/billd/billd.toml"
	// settingMark is the annotation of a flag that environment and file may give too.
	settingMark = "billd_setting"
	// maxConfigFile bounds a configuration file and a file that BILLD_<FLAG>_FILE names, in bytes.
	maxConfigFile = 1 << 20
)

// setting makes flags of the set ones that environment and configuration file may give too. A flag
// says what is to be done once and is no setting; an address or a directory is one.
func setting(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		flags.SetAnnotation(name, settingMark, []string{"true"})
		f := flags.Lookup(name)
		f.Usage += envNote(name)
	}
}

func envName(flag string) string {
	return "BILLD_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func envNote(flag string) string { return " [$" + envName(flag) + "]" }

// configure gives cmd's settings that no flag gave their values: from the environment, else the file.
func (a *app) configure(cmd *cobra.Command) error {
	fromEnv := map[string]bool{}
	var failed error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if failed != nil || f.Changed || !(isSetting(f) || f.Name == "config") {
			return
		}
		value, given, err := fromEnvironment(f.Name)
		if err == nil && given {
			fromEnv[f.Name] = true
			if err = setFlag(f, value); err != nil {
				err = fmt.Errorf("%s: %w", envName(f.Name), err)
			}
		}
		failed = err
	})
	if failed != nil {
		return failed
	}
	path, err := a.configFile()
	if err != nil || path == "" {
		return err
	}
	own := filepath.Join(a.dir, configName)
	return readConfig(path, func(key string, value any) error {
		if !settings(cmd.Root())[key] {
			return errors.New("unknown key")
		}
		if key == "dir" && path == own {
			return errors.New("this file is read from the data directory, so it cannot name another")
		}
		f := cmd.Flags().Lookup(key)
		if f == nil || !isSetting(f) || f.Changed || fromEnv[key] {
			return nil
		}
		return setValue(f, value)
	})
}

func isSetting(f *pflag.Flag) bool { return f.Annotations[settingMark] != nil }

// settings are the names of all settings of all commands: what a file may say.
func settings(root *cobra.Command) map[string]bool {
	names := map[string]bool{}
	collect := func(f *pflag.Flag) {
		if isSetting(f) {
			names[f.Name] = true
		}
	}
	for cmd := range all(root) {
		cmd.Flags().VisitAll(collect)
		cmd.PersistentFlags().VisitAll(collect)
	}
	return names
}

// fromEnvironment reads a setting from its variable, or from the file that its _FILE variable names,
// which is how a secret is given.
func fromEnvironment(flag string) (value string, given bool, err error) {
	name := envName(flag)
	value, given = os.LookupEnv(name)
	file, byFile := os.LookupEnv(name + "_FILE")
	switch {
	case given && byFile:
		return "", false, fmt.Errorf("%s and %s_FILE: both are set, want one", name, name)
	case byFile:
		text, err := readSmall(file)
		if err != nil {
			return "", false, fmt.Errorf("%s_FILE: %w", name, err)
		}
		return strings.TrimRight(string(text), "\r\n"), true, nil
	}
	return value, given, nil
}

// configFile is the file to read, "" when there is none.
func (a *app) configFile() (string, error) {
	if a.config != "" {
		return a.config, nil
	}
	for _, path := range []string{filepath.Join(a.dir, configName), a.etc} {
		_, err := os.Stat(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return "", err
		}
	}
	return "", nil
}

// readConfig calls set for each key of the file, in key order and with dashes; an error of set gets the key and
// its line.
func readConfig(path string, set func(key string, value any) error) error {
	text, err := readSmall(path)
	if err != nil {
		return err
	}
	var keys map[string]toml.Primitive
	meta, err := toml.Decode(string(text), &keys)
	if err != nil {
		return configError(path, "", err)
	}
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		key := strings.ReplaceAll(name, "_", "-")
		assign := func(value any) error {
			if seen[key] {
				return errors.New("given twice, with a dash and with an underscore")
			}
			seen[key] = true
			return set(key, value)
		}
		if err := meta.PrimitiveDecode(keys[name], unmarshaler(assign)); err != nil {
			return configError(path, name, err)
		}
	}
	return nil
}

// unmarshaler is a value's destination: what it fails with comes back with the value's line.
type unmarshaler func(value any) error

// UnmarshalTOML gives the value to the function.
func (u unmarshaler) UnmarshalTOML(value any) error { return u(value) }

func configError(path, key string, err error) error {
	parse, ok := errors.AsType[toml.ParseError](err)
	if !ok {
		return fmt.Errorf("%s: %w", path, err)
	}
	if key != "" {
		key += ": "
	}
	return fmt.Errorf("%s: line %d: %s%s", path, parse.Position.Line, key, parse.Message)
}

func setValue(f *pflag.Flag, value any) error {
	switch v := value.(type) {
	case string, int64, bool:
		return setFlag(f, fmt.Sprint(v))
	case []any:
		list, ok := f.Value.(pflag.SliceValue)
		if !ok {
			return errors.New("a list, want one value")
		}
		texts := make([]string, len(v))
		for i := range v {
			texts[i] = fmt.Sprint(v[i])
		}
		return list.Replace(texts)
	}
	return fmt.Errorf("%v, want text, a whole number, true or false", value)
}

func setFlag(f *pflag.Flag, value string) error { return badValue(f, value, f.Value.Set(value)) }

// badValue says what f wants where the flag library would name the function that refused value.
func badValue(f *pflag.Flag, value string, err error) error {
	_, number := errors.AsType[*strconv.NumError](err)
	if number || (err != nil && f.Value.Type() == "duration") {
		return fmt.Errorf("%q, want %s", value, f.Value.Type())
	}
	return err
}

func flagError(_ *cobra.Command, err error) error {
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return fmt.Errorf("--%s: %w", bad.GetFlag().Name, badValue(bad.GetFlag(), bad.GetValue(), bad.Unwrap()))
	}
	return err
}

func readSmall(path string) ([]byte, error) {
	at, err := os.Stat(path)
	if err != nil {
		return nil, plain(err)
	}
	if at.Size() > maxConfigFile {
		return nil, fmt.Errorf("%s: %d bytes, want at most %d", path, at.Size(), maxConfigFile)
	}
	text, err := os.ReadFile(path)
	return text, plain(err)
}
