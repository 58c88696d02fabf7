package cli

import (
	"strings"

	"billd/server/ops"

	"github.com/spf13/cobra"
)

func newAdmin(a *app) *cobra.Command {
	return newFamily("admin", "Manage operators: create, passwd, list, delete",
		newAdminPassword(a, "create", "Make an operator, who may do everything"),
		newAdminPassword(a, "passwd", "Change an operator's password and end earlier sessions"),
		newAdminList(a), newAdminDelete(a))
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
