package ops

import (
	"context"
	"fmt"
	"io"

	"billd/rating"
	"billd/storage"
)

func listGuardPrefixes(ctx context.Context, env *Env, args GuardArgs, o *IO) (int, error) {
	var list []string
	err := env.DB.View(ctx, func(tx *storage.Tx) (err error) {
		_, list, err = tx.GuardDefaults()
		return err
	})
	return printPrefixes(list, err, args, o)
}

func addGuardPrefixes(ctx context.Context, env *Env, args GuardArgs, o *IO) (int, error) {
	list, err := changePrefixes(ctx, env, func(was []string) ([]string, error) {
		more, err := rating.CheckGuardPrefixes(args.Prefixes)
		return append(was[:len(was):len(was)], more...), err
	})
	return printPrefixes(list, err, args, o)
}

func removeGuardPrefixes(ctx context.Context, env *Env, args GuardArgs, o *IO) (int, error) {
	list, err := changePrefixes(ctx, env, func(was []string) ([]string, error) {
		gone, err := rating.CheckGuardPrefixes(args.Prefixes)
		left := []string{}
		for _, p := range was {
			taken := false
			for i, g := range gone {
				if taken = g == p; taken {
					gone = append(gone[:i:i], gone[i+1:]...)
					break
				}
			}
			if !taken {
				left = append(left, p)
			}
		}
		if err == nil && len(gone) > 0 {
			err = rating.Errorf(rating.NotFound, "prefixes", "prefix %s is not on the list", gone[0])
		}
		return left, err
	})
	return printPrefixes(list, err, args, o)
}

func resetGuardPrefixes(ctx context.Context, env *Env, args GuardArgs, o *IO) (int, error) {
	list, err := ReplaceGuardPrefixes(ctx, env, nil)
	return printPrefixes(list, err, args, o)
}

func printPrefixes(list []string, err error, args GuardArgs, o *IO) (int, error) {
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, list, func(w io.Writer) error {
		for _, p := range list {
			fmt.Fprintln(w, p)
		}
		return nil
	})
}
