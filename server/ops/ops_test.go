package ops

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
)

type greetArgs struct {
	Name  string `json:"name"`
	Times int    `json:"times"`
}

func greet(_ context.Context, _ *Env, a greetArgs, o *IO) (int, error) {
	switch a.Name {
	case "panic":
		panic("secret detail")
	case "partly":
		return ExitPartly, errors.New("line 1: bad\nline 2: bad")
	case "fail":
		return ExitOK, errors.New("account 9: not found")
	case "usage":
		return ExitOK, Usagef("want a name")
	}
	o.Progress(1, 1, "names")
	_, err := io.WriteString(o.Out, strings.Repeat(a.Name, a.Times)+"\n")
	return ExitOK, err
}

func TestDoTurnsAnEndIntoCodeAndLine(t *testing.T) {
	for _, tt := range []struct {
		name, args string
		exit       int
		out, err   string
	}{
		{"a success prints and is 0", `{"name":"a","times":2}`, ExitOK, "aa\n", ""},
		{"no arguments are the zero arguments", ``, ExitOK, "\n", ""},
		{"an error without code is 1", `{"name":"fail"}`, ExitFailed, "", "billd: account 9: not found\n"},
		{"an error keeps its own code and one line", `{"name":"partly"}`, ExitPartly, "", "billd: line 1: bad; line 2: bad\n"},
		{"a usage error is 2", `{"name":"usage"}`, ExitUsage, "", "billd: want a name\n"},
		{"an unknown argument is refused", `{"nam":"a"}`, ExitUsage, "", "billd: greet: arguments: unknown field \"nam\"\n"},
		{"an argument of another type is refused", `{"times":"a"}`, ExitUsage, "", "billd: greet: arguments: times: cannot be a string\n"},
		{"text after the arguments is refused", `{} {}`, ExitUsage, "", "billd: greet: arguments: text after the last brace\n"},
		{"a panic says nothing of itself", `{"name":"panic"}`, ExitFailed, "", "billd: greet: fault in billd, the log has the details\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out, errw, log bytes.Buffer
			env := &Env{Log: slog.New(slog.NewTextHandler(&log, nil))}
			got := Typed("greet", greet).Do(t.Context(), env, json.RawMessage(tt.args), &IO{Out: &out, Err: &errw})
			if got != tt.exit || out.String() != tt.out || errw.String() != tt.err {
				t.Errorf("Do(%s) = %d, out %q, err %q, want %d, %q, %q", tt.args, got, out.String(), errw.String(), tt.exit, tt.out, tt.err)
			}
			if strings.Contains(tt.args, "panic") != strings.Contains(log.String(), "secret detail") {
				t.Errorf("log = %q, want a panic's detail there and only there", log.String())
			}
		})
	}
}

func TestExitCodeOfACancelledCommand(t *testing.T) {
	for _, tt := range []struct {
		name  string
		cause error
		err   error
		exit  int
		want  string
	}{
		{"a signal interrupts", nil, errors.New("read: canceled"), ExitInterrupted, "interrupted"},
		{"work that was done stays done", nil, nil, ExitOK, "<nil>"},
		{"a signal that says its name interrupts", errors.New("interrupt signal received"), errors.New("read: canceled"), ExitInterrupted, "interrupted"},
		{"a server that stops is the error", ErrStopping, errors.New("read: canceled"), ExitFailed, "the server is stopping"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(tt.cause)
			exit, err := ExitCode(ctx, ExitOK, tt.err)
			got := "<nil>"
			if err != nil {
				got = err.Error()
			}
			if exit != tt.exit || got != tt.want {
				t.Errorf("ExitCode = %d, %s, want %d, %s", exit, got, tt.exit, tt.want)
			}
		})
	}
}

func TestTableAlignsAndKeepsCellsInTheirPlace(t *testing.T) {
	var out bytes.Buffer
	table := NewTable(&out, "id", "name")
	table.Row(7, "a\tb\nc")
	table.Row(12345, "d")
	if err := table.Close(); err != nil {
		t.Fatal(err)
	}
	want := "ID     NAME\n7      a b c\n12345  d\n"
	if out.String() != want {
		t.Errorf("table = %q, want %q", out.String(), want)
	}
}

func TestPrintTakesJSONOrTheTable(t *testing.T) {
	for _, tt := range []struct {
		name   string
		asJSON bool
		want   string
	}{
		{"json is indented and not escaped for HTML", true, "{\n  \"n\": \"<1>\"\n}\n"},
		{"a table is drawn", false, "drawn\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			err := Print(&out, tt.asJSON, map[string]string{"n": "<1>"}, func(w io.Writer) error {
				_, err := io.WriteString(w, "drawn\n")
				return err
			})
			if err != nil || out.String() != tt.want {
				t.Errorf("Print = %q, %v, want %q", out.String(), err, tt.want)
			}
		})
	}
}

func TestUntilDoneReadsAllAndLeavesAWait(t *testing.T) {
	text := strings.Repeat("0123456789", 20_000)
	got, err := io.ReadAll(UntilDone(t.Context(), strings.NewReader(text)))
	if err != nil || string(got) != text {
		t.Errorf("ReadAll = %d bytes, %v, want the %d of the text", len(got), err, len(text))
	}
	silent, w := io.Pipe()
	defer w.Close()
	stopping := errors.New("stopping")
	ctx, cancel := context.WithCancelCause(t.Context())
	r := UntilDone(ctx, silent)
	go cancel(stopping)
	for range 2 {
		if n, err := r.Read(make([]byte, 10)); n != 0 || err != stopping {
			t.Errorf("Read = %d, %v, want 0, %v", n, err, stopping)
		}
	}
}
