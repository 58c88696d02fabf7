package cli

import (
	"errors"
	"strings"

	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newAdmin(a *app) *cobra.Command {
	return newFamily("admin", "Manage operators: create, passwd, allow, list, delete",
		newAdminPassword(a, "create", "Make an operator, who may do everything"),
		newAdminPassword(a, "passwd", "Change an operator's password and end earlier sessions"),
		newAdminAllow(a), newAdminList(a), newAdminDelete(a))
}

func newAdminPassword(a *app, name, short string) *cobra.Command {
	var stdin bool
	cmd := &cobra.Command{
		Use:     name + " LOGIN",
		Short:   short,
		Long:    short + ". The password is asked for, or read from standard input's first line; at least 8 characters.",
		Example: "  billd admin " + name + " anna\n  pwgen 20 1 | billd admin " + name + " anna --password-stdin",
		Args:    want("LOGIN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := a.password(stdin)
			if err != nil {
				return err
			}
			return a.runOp(cmd, call{op: "admin-" + name, args: ops.OperatorArgs{Login: args[0]}, in: strings.NewReader(password + "\n")})
		},
	}
	cmd.Flags().BoolVar(&stdin, "password-stdin", false, "read the password from standard input")
	return cmd
}

func newAdminAllow(a *app) *cobra.Command {
	var networks []string
	var anywhere bool
	cmd := &cobra.Command{
		Use:   "allow LOGIN",
		Short: "Say from which addresses an operator may act",
		Long: "Say from which addresses an operator may act. It is asked at every sign-in, and at every request of Yeti's\n" +
			"admin API and of the console. The networks that are given replace those of before.",
		Example: "  billd admin allow anna --ip 192.0.2.7 --ip 10.0.0.0/8\n  billd admin allow anna --anywhere",
		Args:    want("LOGIN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if anywhere == (len(networks) > 0) {
				return usageError(errors.New("allow: want --ip NETWORK, once or more, or --anywhere"))
			}
			return a.runOp(cmd, call{op: "admin-allow", args: ops.AllowArgs{Login: args[0], Networks: networks}})
		},
	}
	cmd.Flags().StringArrayVar(&networks, "ip", nil, "an address, or a network in CIDR form; may be repeated")
	cmd.Flags().BoolVar(&anywhere, "anywhere", false, "from every address")
	return cmd
}

func newAdminList(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the operators", Example: "  billd admin list", Args: want(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.runOp(cmd, call{op: "admin-list", args: ops.ListArgs{JSON: a.json}})
		},
	}
}

func newAdminDelete(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "delete LOGIN", Short: "Delete an operator and end their sessions", Example: "  billd admin delete anna", Args: want("LOGIN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runOp(cmd, call{op: "admin-delete", args: ops.OperatorArgs{Login: args[0]}})
		},
	}
}
