package ops

import (
	"context"
	"fmt"
	"io"

	"billd/rating"
	"billd/storage"
)

// SettingArgs are `billd settings list|get|set`.
type SettingArgs struct {
	Name  string `json:"name,omitempty"`
	Value string `json:"value,omitempty"`
	JSON  bool   `json:"json,omitempty"`
}

// SettingView is a setting with its value: a string, a number or a bool.
type SettingView struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
	Want  string `json:"want"`
	Help  string `json:"help"`
}

// SettingValues returns every setting's value under its name: what `PATCH /api/v1/settings` takes again.
func SettingValues(s *rating.Settings) map[string]any {
	values := map[string]any{}
	for _, d := range rating.SettingList() {
		values[d.Name] = d.Value(s)
	}
	return values
}

// ChangeSettings changes settings by name, all of them or none; the next call is charged by them.
func ChangeSettings(ctx context.Context, env *Env, values map[string]string) (s *rating.Settings, err error) {
	err = env.DB.Update(ctx, func(tx *storage.Tx) (err error) {
		s, err = tx.ChangeSettings(values)
		return err
	})
	return s, err
}

func viewSetting(d *rating.Setting, s *rating.Settings) SettingView {
	return SettingView{Name: d.Name, Value: d.Value(s), Want: d.Want, Help: d.Help}
}

func listSettings(_ context.Context, env *Env, args SettingArgs, o *IO) (int, error) {
	s := env.DB.Settings()
	var views []SettingView
	for _, d := range rating.SettingList() {
		views = append(views, viewSetting(&d, s))
	}
	return ExitOK, Print(o.Out, args.JSON, views, func(w io.Writer) error {
		t := NewTable(w, "setting", "value", "takes", "what it decides")
		for _, v := range views {
			t.Row(v.Name, fmt.Sprint(v.Value), v.Want, v.Help)
		}
		return t.Close()
	})
}

// printSetting prints a value alone, so that scripts can read it.
func printSetting(o *IO, json bool, d *rating.Setting, s *rating.Settings) error {
	return Print(o.Out, json, viewSetting(d, s), func(w io.Writer) error {
		_, err := fmt.Fprintln(w, d.Text(s))
		return err
	})
}

func getSetting(_ context.Context, env *Env, args SettingArgs, o *IO) (int, error) {
	d, err := rating.SettingNamed(args.Name)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, printSetting(o, args.JSON, d, env.DB.Settings())
}

func setSetting(ctx context.Context, env *Env, args SettingArgs, o *IO) (int, error) {
	d, err := rating.SettingNamed(args.Name)
	if err != nil {
		return ExitFailed, err
	}
	s, err := ChangeSettings(ctx, env, map[string]string{args.Name: args.Value})
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, printSetting(o, args.JSON, d, s)
}
