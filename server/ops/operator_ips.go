package ops

import (
	"context"
	"fmt"
	"strings"

	"billd/rating"
	"billd/storage"
)

// AllowArgs name an operator and from where they may act.
type AllowArgs struct {
	Login    string   `json:"login"`
	Networks []string `json:"networks,omitempty"` // addresses and networks; none: anywhere
}

const maxOperatorNetworks = 100

// allowOperator replaces the networks that an operator may act from. It holds at once.
func allowOperator(ctx context.Context, env *Env, args AllowArgs, io *IO) (int, error) {
	if len(args.Networks) > maxOperatorNetworks {
		return ExitFailed, rating.Broken("ip", "maxItems", fmt.Sprint(maxOperatorNetworks), "%d networks: want at most %d", len(args.Networks), maxOperatorNetworks)
	}
	for _, s := range args.Networks {
		if _, ok := storage.ParseNetwork(s); !ok {
			return ExitFailed, rating.Broken("ip", "format", "", "network %q: want an address, or a network such as 10.0.0.0/8", s)
		}
	}
	err := env.DB.Update(storage.As(ctx, env.Actor), func(tx *storage.Tx) error {
		o, err := findOperator(tx, args.Login)
		if err != nil {
			return err
		}
		o.AllowedIPs = args.Networks
		return tx.Operators.Put(o)
	})
	if err != nil {
		return ExitFailed, err
	}
	if env.Access != nil {
		env.Access.Tokens.Forget()
	}
	fmt.Fprintf(io.Out, "operator %s may act from %s\n", args.Login, where(args.Networks))
	return ExitOK, nil
}

// where says from where networks let somebody act.
func where(networks []string) string {
	if len(networks) == 0 {
		return "anywhere"
	}
	return strings.Join(networks, ", ")
}
