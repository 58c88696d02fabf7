package ui

import (
	"net/url"
	"time"

	"billd/rating"
	"billd/server/ops"

	"github.com/gofiber/fiber/v2"
)

// radiusPage is the page of who speaks RADIUS.
type radiusPage struct {
	NAS                    []nasRow
	Strangers              []strangerRow
	Listening              bool // packets are heard of while a server runs
	Problem                string
	Name, Network, Account string // of the form, as they were given
}

// nasRow is a NAS as the list shows it. Its secret is not in it.
type nasRow struct {
	*ops.ShownNAS
	Ago, RefusedAgo string // "" for never
	Payer           string
}

// strangerRow is a sender that is no NAS.
type strangerRow struct {
	ops.Stranger
	Ago string
}

func (u *UI) radius(c *fiber.Ctx, s *session) error {
	return u.showRadius(c, s, radiusPage{Network: c.Query("network")})
}

// showRadius answers with the page; p says what its form holds.
func (u *UI) showRadius(c *fiber.Ctx, s *session, p radiusPage) error {
	list, err := ops.ListNAS(c.UserContext(), u.Env)
	if err != nil {
		return err
	}
	now := u.DB.Now()
	ago := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return talkSince(now, at)
	}
	p.Listening = u.Env.Senders != nil
	for _, n := range list.NAS {
		row := nasRow{ShownNAS: n, Ago: ago(n.LastAt), RefusedAgo: ago(n.RefusedAt), Payer: "the user that the packets name"}
		switch {
		case n.Account != "":
			row.Payer = n.Account
		case n.Rules:
			row.Payer = "who rules name"
		}
		p.NAS = append(p.NAS, row)
	}
	for _, who := range list.Strangers {
		p.Strangers = append(p.Strangers, strangerRow{who, ago(who.LastAt)})
	}
	return u.render(c, s, "radius", page{Title: "RADIUS", Nav: "radius", Data: p})
}

// addNAS makes a NAS of the form and shows the page; what cannot be is said there, and the secret asked for again.
func (u *UI) addNAS(c *fiber.Ctx, s *session) error {
	p := radiusPage{Name: c.FormValue("name"), Network: c.FormValue("network"), Account: c.FormValue("account")}
	secret := c.FormValue("secret")
	args := ops.NASArgs{Name: p.Name, Network: &p.Network, Secret: &secret}
	if p.Account != "" {
		args.Account = &p.Account
	}
	_, err := ops.SetNAS(c.UserContext(), u.Env, args, true)
	switch kind := rating.KindOf(err); {
	case err == nil:
		return u.redirect(c, "/radius")
	case kind == rating.Invalid || kind == rating.NotFound || kind == rating.Conflict:
		p.Problem = sentence(err.Error())
		c.Status(statuses[kind])
		return u.showRadius(c, s, p)
	}
	return err
}

// deleteNAS takes a NAS away and shows the page again.
func (u *UI) deleteNAS(c *fiber.Ctx, _ *session) error {
	name, err := url.PathUnescape(c.Params("name"))
	if err != nil {
		return rating.Errorf(rating.NotFound, "nas", "there is no such NAS")
	}
	if err := ops.DeleteNAS(c.UserContext(), u.Env, name); err != nil {
		return err
	}
	return u.redirect(c, "/radius")
}
