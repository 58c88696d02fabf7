package ops

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"billd/rating"
	"billd/server/auth"
	"billd/storage"
)

// OperatorArgs name an operator; the password, where one is needed, is the first line of the input.
type OperatorArgs struct {
	Login string `json:"login"`
}

// ListArgs ask for JSON instead of a table.
type ListArgs struct {
	JSON bool `json:"json,omitempty"`
}

const maxLogin = 64 // characters

func readPassword(in io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(in, 4096)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", err
	}
	p := strings.TrimRight(line, "\r\n")
	return p, auth.CheckPassword(p)
}

func createOperator(ctx context.Context, env *Env, args OperatorArgs, io *IO) (int, error) {
	password, err := readPassword(io.In)
	if err != nil {
		return ExitFailed, err
	}
	if err := CreateOperator(ctx, env, args.Login, password); err != nil {
		return ExitFailed, err
	}
	fmt.Fprintf(io.Out, "operator %s created\n", args.Login)
	return ExitOK, nil
}

// CreateOperator makes an operator; the password has been checked. The setup page ends in it too.
func CreateOperator(ctx context.Context, env *Env, login, password string) error {
	switch {
	case login == "" || strings.ContainsFunc(login, func(r rune) bool { return r <= ' ' }):
		return rating.Broken("login", "format", "", "login %q: want a name without blanks", login)
	case len(login) > maxLogin:
		return rating.Broken("login", "maxLength", "64", "login: want at most %d characters", maxLogin)
	}
	access, err := env.access(ctx)
	if err != nil {
		return err
	}
	hash, err := access.Passwords.Hash(ctx, password)
	if err != nil {
		return err
	}
	return env.DB.Update(storage.As(ctx, env.Actor), func(tx *storage.Tx) error {
		err := tx.Operators.Put(&storage.Operator{Login: login, Password: hash, CreatedAt: tx.Now()})
		if rating.KindOf(err) == rating.Conflict {
			return rating.Errorf(rating.Conflict, "login", "operator %s exists already", login)
		}
		return err
	})
}

func setOperatorPassword(ctx context.Context, env *Env, args OperatorArgs, io *IO) (int, error) {
	password, err := readPassword(io.In)
	if err != nil {
		return ExitFailed, err
	}
	access, err := env.access(ctx)
	if err != nil {
		return ExitFailed, err
	}
	hash, err := access.Passwords.Hash(ctx, password)
	if err != nil {
		return ExitFailed, err
	}
	err = env.DB.Update(storage.As(ctx, env.Actor), func(tx *storage.Tx) error {
		o, err := findOperator(tx, args.Login)
		if err != nil {
			return err
		}
		o.Password, o.TokensAfter = hash, tx.Now()
		return tx.Operators.Put(o)
	})
	if err != nil {
		return ExitFailed, err
	}
	access.Tokens.Forget()
	fmt.Fprintf(io.Out, "password of %s changed; earlier sessions are ended\n", args.Login)
	return ExitOK, nil
}

func findOperator(tx *storage.Tx, login string) (*storage.Operator, error) {
	o, err := tx.OperatorByLogin(login)
	if rating.KindOf(err) == rating.NotFound && err != nil {
		return nil, rating.Errorf(rating.NotFound, "login", "no operator %s: billd admin list shows them", login)
	}
	return o, err
}

func deleteOperator(ctx context.Context, env *Env, args OperatorArgs, io *IO) (int, error) {
	err := env.DB.Update(storage.As(ctx, env.Actor), func(tx *storage.Tx) error {
		o, err := findOperator(tx, args.Login)
		if err != nil {
			return err
		}
		return tx.Operators.Delete(o.ID)
	})
	if err != nil {
		return ExitFailed, err
	}
	if env.Access != nil {
		env.Access.Tokens.Forget()
	}
	fmt.Fprintf(io.Out, "operator %s deleted\n", args.Login)
	return ExitOK, nil
}

type listedOperator struct {
	ID        uint64    `json:"id"`
	Login     string    `json:"login"`
	CreatedAt time.Time `json:"created_at"`
	// AllowedIPs are the networks that the operator may act from; none are all.
	AllowedIPs []string `json:"allowed_ips,omitempty"`
}

func listOperators(ctx context.Context, env *Env, args ListArgs, io *IO) (int, error) {
	list := []listedOperator{}
	err := env.DB.View(ctx, func(tx *storage.Tx) error {
		return tx.Operators.Each(0, func(o *storage.Operator) (bool, error) {
			list = append(list, listedOperator{o.ID, o.Login, o.CreatedAt, o.AllowedIPs})
			return true, nil
		})
	})
	if err != nil {
		return ExitFailed, err
	}
	if args.JSON {
		return ExitOK, json.NewEncoder(io.Out).Encode(list)
	}
	t := NewTable(io.Out, "ID", "LOGIN", "SINCE", "FROM")
	for _, o := range list {
		t.Row(o.ID, o.Login, o.CreatedAt.Format(time.DateOnly), where(o.AllowedIPs))
	}
	return ExitOK, t.Close()
}

// TokenArgs ask for a bearer token of one surface.
type TokenArgs struct {
	Surface string `json:"surface"`
	Login   string `json:"login,omitempty"`
	Account string `json:"account,omitempty"`
	Seconds int64  `json:"seconds,omitempty"` // life; 0 is the surface's default
	JSON    bool   `json:"json,omitempty"`
}

// issuedToken is what `billd token --json` prints.
type issuedToken struct {
	Token     string `json:"token"`
	Surface   string `json:"surface"`
	AccountID string `json:"account_id"`
	ExpiresAt string `json:"expires_at"`
	APIKey    string `json:"api_key,omitempty"`
}

func issueToken(ctx context.Context, env *Env, args TokenArgs, io *IO) (int, error) {
	access, err := env.access(ctx)
	if err != nil {
		return ExitFailed, err
	}
	var account *rating.Account
	var operator *storage.Operator
	err = env.DB.View(ctx, func(tx *storage.Tx) error {
		if account, err = tokenAccount(tx, args.Account); err != nil {
			return err
		}
		operator, err = tokenOperator(tx, args)
		return err
	})
	if err != nil {
		return ExitFailed, err
	}
	issued, token, err := signToken(access.Tokens, args, account, operator)
	if err != nil {
		return ExitFailed, err
	}
	issued.Token, issued.Surface, issued.ExpiresAt = token.Text, args.Surface, token.ExpiresAt.UTC().Format(time.RFC3339)
	if args.JSON {
		return ExitOK, json.NewEncoder(io.Out).Encode(issued)
	}
	_, err = fmt.Fprintln(io.Out, issued.Token)
	return ExitOK, err
}

func tokenAccount(tx *storage.Tx, ref string) (*rating.Account, error) {
	if ref == "" {
		return tx.OpenAccount(rating.MasterAccount)
	}
	return tx.AccountByRef(ref)
}

// tokenOperator returns who an operator's token is for: the one named, else the first one made.
func tokenOperator(tx *storage.Tx, args TokenArgs) (first *storage.Operator, err error) {
	if args.Login != "" {
		return findOperator(tx, args.Login)
	}
	if args.Surface != "admin" {
		return nil, nil
	}
	err = tx.Operators.Each(0, func(o *storage.Operator) (bool, error) {
		first = o
		return false, nil
	})
	if err == nil && first == nil {
		return nil, rating.Errorf(rating.NotFound, "login", "there is no operator yet: billd admin create LOGIN")
	}
	return first, err
}

func signToken(t *auth.Tokens, args TokenArgs, a *rating.Account, o *storage.Operator) (issued issuedToken, token auth.Token, err error) {
	ttl := time.Duration(args.Seconds) * time.Second
	issued.AccountID = fmt.Sprint(a.ID)
	switch args.Surface {
	case "admin":
		token, err = t.Admin(o.ID, ttl)
	case "customer":
		token, err = t.DynamicCustomer(auth.Dynamic{CustomerID: a.Contractor, CustomerPortalAccessProfileID: 1, AccountIDs: dynamicAccounts(args, a)}, ttl)
	case "kazoo":
		issued.AccountID, issued.APIKey = a.UUID.Hex(), a.APIKey
		token, err = t.Kazoo(auth.KazooIdentity{AccountID: a.UUID.Hex(), Method: auth.KazooAPIAuth}, ttl)
	case "portsip":
		p := auth.Principal{Kind: auth.KindNative, AccountID: uint64(a.ID)}
		if o != nil {
			p = auth.Principal{Kind: auth.KindOperator, ID: o.ID, AccountID: uint64(a.ID)}
		}
		var pair auth.Pair
		pair, err = t.PortSIP(p, ttl)
		token = pair.Access
	case "native":
		p := auth.Principal{Kind: auth.KindNative, AccountID: uint64(a.ID)}
		if o != nil {
			p.ID = o.ID
		}
		token, err = t.Native(p, ttl)
	default:
		err = Usagef("token: surface %q: want admin, customer, kazoo, portsip or native", args.Surface)
	}
	return issued, token, err
}

// dynamicAccounts restricts a customer's token to the account that was named.
func dynamicAccounts(args TokenArgs, a *rating.Account) []uint64 {
	if args.Account == "" {
		return []uint64{}
	}
	return []uint64{uint64(a.ID)}
}
