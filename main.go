// Command billd is a telecom billing server in one binary.
package main

import (
	"os"

	"billd/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
