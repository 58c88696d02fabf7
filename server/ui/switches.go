package ui

import (
	"net/url"
	"strings"

	"billd/rating"
	"billd/server/ops"

	"github.com/gofiber/fiber/v2"
)

// switchList is the page of who has a switch's key.
type switchList struct {
	Rows  []switchRow
	Given *ops.SwitchKey // just made: it is shown this once
}

// switchRow is a switch as the list shows it.
type switchRow struct {
	*ops.ShownSwitch
	From string // the networks that its key may be shown from, "" for anywhere
	Ago  string // since it was heard of last, "" for not since the server started
	Path string // of its forms
	Ends bool   // soon
}

func (u *UI) switches(c *fiber.Ctx, s *session) error { return u.showSwitches(c, s, nil) }

func (u *UI) showSwitches(c *fiber.Ctx, s *session, given *ops.SwitchKey) error {
	list, err := ops.ListSwitches(c.UserContext(), u.Env)
	if err != nil {
		return err
	}
	l := switchList{Given: given}
	for _, w := range list {
		row := switchRow{ShownSwitch: w, From: strings.Join(w.Networks, ", "), Path: "/switches/" + url.PathEscape(w.Name), Ends: w.KeyEnds.Sub(u.DB.Now()) < ops.KeyEndsSoon}
		if !w.LastAt.IsZero() {
			row.Ago = talkSince(u.DB.Now(), w.LastAt)
		}
		l.Rows = append(l.Rows, row)
	}
	return u.render(c, s, "switches", page{Title: "Switches", Nav: "switches", Data: l})
}

// addSwitch makes a switch and shows its key.
func (u *UI) addSwitch(c *fiber.Ctx, s *session) error {
	args := ops.SwitchArgs{Name: strings.TrimSpace(c.FormValue("name"))}
	if from := strings.FieldsFunc(c.FormValue("from"), func(r rune) bool { return r == ',' || r == ' ' }); len(from) > 0 {
		args.Networks = &from
	}
	return u.giveKey(c, s, args, true)
}

// renewSwitch shows another key of a switch; the one before it ends.
func (u *UI) renewSwitch(c *fiber.Ctx, s *session) error {
	name, err := switchName(c)
	if err != nil {
		return err
	}
	return u.giveKey(c, s, ops.SwitchArgs{Name: name}, false)
}

func (u *UI) giveKey(c *fiber.Ctx, s *session, args ops.SwitchArgs, made bool) error {
	key, err := ops.GiveKey(c.UserContext(), u.Env, args, made)
	if err != nil {
		return err
	}
	return u.showSwitches(c, s, key)
}

func (u *UI) deleteSwitch(c *fiber.Ctx, _ *session) error {
	name, err := switchName(c)
	if err != nil {
		return err
	}
	if err := ops.DeleteSwitch(c.UserContext(), u.Env, name); err != nil {
		return err
	}
	return u.redirect(c, "/switches")
}

func switchName(c *fiber.Ctx) (string, error) {
	name, err := url.PathUnescape(c.Params("name"))
	if err != nil {
		return "", rating.Errorf(rating.NotFound, "switch", "this switch does not exist")
	}
	return name, nil
}
