package ops

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"billd/rating"
	"billd/rating/cdrformat"
	"billd/storage"
)

// ExplainCDRArgs are `billd cdr explain`: a stored call, or a file that is the op's input.
type ExplainCDRArgs struct {
	ID    uint64         `json:"id,omitempty"`
	File  ImportCDRsArgs `json:"file"`
	Limit int            `json:"limit,omitempty"`
	Held  bool           `json:"held,omitempty"` // only those that would be kept in suspense
	JSON  bool           `json:"json,omitempty"`
}

// Limits of an explanation of a file, which reads one state of the store.
const (
	ShownExplained = 20     // records without --limit
	maxExplained   = 10_000 // records at most
)

// ExplainedFile is how a file of records is read and charged.
type ExplainedFile struct {
	Format  string          `json:"format"`
	Why     string          `json:"why"` // that format
	Source  string          `json:"source"`
	Zone    string          `json:"zone"` // of stamps that carry none
	Records []*ExplainedCDR `json:"records"`
	More    bool            `json:"more"` // there are records behind the last one
}

// ExplainedCDR is how one record is read and charged, or one stored call was. Empty members say nothing.
type ExplainedCDR struct {
	Line       int             `json:"line,omitempty"` // of the file
	ID         string          `json:"id,omitempty"`   // of the call in the store
	Said       []SaidColumn    `json:"said,omitempty"`
	Skipped    string          `json:"skipped,omitempty"`    // why it is no call to charge
	Unreadable string          `json:"unreadable,omitempty"` // why it would be kept as it is
	CallID     string          `json:"call_id,omitempty"`
	Source     string          `json:"source,omitempty"`
	Start      *time.Time      `json:"time_start,omitempty"`
	Connect    *time.Time      `json:"time_connect,omitempty"`
	End        *time.Time      `json:"time_end,omitempty"`
	Seconds    *int64          `json:"duration,omitempty"`
	Answered   bool            `json:"answered"`
	Direction  string          `json:"direction,omitempty"`
	Gateway    string          `json:"gateway,omitempty"`
	IP         string          `json:"ip,omitempty"`
	Account    string          `json:"account,omitempty"` // as the record names it
	Numbers    []ExplainedEnd  `json:"numbers,omitempty"`
	Payer      *ExplainedPayer `json:"payer,omitempty"`
	Outcome    string          `json:"outcome,omitempty"` // rated, free, duplicate, suspended
	Reason     string          `json:"reason,omitempty"`  // of a suspension
	Detail     string          `json:"detail,omitempty"`
	Earlier    string          `json:"earlier,omitempty"` // the number of the call, or of the held one, that it duplicates
	Price      *rating.Money   `json:"price,omitempty"`
	Currency   string          `json:"currency,omitempty"`
	Rate       *ExplainedRate  `json:"rate,omitempty"`
	Notes      []string        `json:"notes,omitempty"`
	call       *rating.Call    // as it was tried
	verdict    rating.Verdict
}

// SaidColumn is what one column of a record says, and what that is to a bill.
type SaidColumn struct {
	Column string `json:"column"`
	Means  string `json:"means"`
	Text   string `json:"text"`
}

// ExplainedEnd is one number of a call: as it came, each rule that was tried, and as it is rated.
type ExplainedEnd struct {
	End   string          `json:"end"` // called, caller
	Came  string          `json:"came"`
	Rules []ExplainedRule `json:"rules,omitempty"`
	Rated string          `json:"rated"`
}

// ExplainedRule is what one rule made of a number.
type ExplainedRule struct {
	Rule   string `json:"rule"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// ExplainedPayer is who pays and which rule says so.
type ExplainedPayer struct {
	ID      uint64 `json:"id"`
	Name    string `json:"name"`
	Rule    string `json:"rule"`
	Profile string `json:"profile,omitempty"`  // the source's, with the revision that was used
	Plan    uint64 `json:"rateplan,omitempty"` // 0 where service plans name the ratedeck
}

// ExplainedRate is the customer's rate and the price step by step.
type ExplainedRate struct {
	ID     uint64        `json:"id"`
	Deck   string        `json:"deck"`
	Prefix string        `json:"prefix"`
	Name   string        `json:"name"`
	Steps  []ExplainStep `json:"steps"`
}

func explainCDR(ctx context.Context, env *Env, args ExplainCDRArgs, o *IO) (int, error) {
	if args.ID != 0 {
		e, err := ExplainStored(ctx, env, rating.CDRID(args.ID))
		if err != nil {
			return ExitFailed, err
		}
		return ExitOK, Print(o.Out, args.JSON, e, e.print)
	}
	options, err := args.File.options(env)
	if err != nil {
		return ExitUsage, &UsageError{err}
	}
	options.Told = true
	r, err := cdrformat.NewReader(o.In, options)
	if err != nil {
		return ExitFailed, fmt.Errorf("%s: %w", args.File.Input.Name, err)
	}
	f := &ExplainedFile{Format: r.Format().String(), Why: args.File.whyFormat(env, r.Format()), Source: r.Source(), Zone: "UTC", Records: []*ExplainedCDR{}}
	if options.Zone != nil {
		f.Zone = options.Zone.String()
	}
	if err := env.DB.View(ctx, func(tx *storage.Tx) error { return f.read(tx, r, args) }); err != nil {
		return ExitFailed, fmt.Errorf("%s: %w", args.File.Input.Name, err)
	}
	return ExitOK, Print(o.Out, args.JSON, f, f.print)
}

// whyFormat says what told how a file is written.
func (a *ImportCDRsArgs) whyFormat(env *Env, f cdrformat.Format) string {
	s := env.DB.Catalog().Source(a.Source)
	switch {
	case a.Format != "" && a.Format != cdrformat.Auto.String():
		return "said by --format"
	case a.Format == "" && s != nil && s.Format != cdrformat.Auto.String():
		return "said by source " + s.Name
	}
	for _, known := range cdrformat.Formats() {
		if known.Name == f.String() {
			return "told by how the file begins: " + known.What
		}
	}
	return "told by how the file begins"
}

// read explains record after record. Those of one file see each other, as they will when they are charged.
func (f *ExplainedFile) read(tx *storage.Tx, r *cdrformat.Reader, args ExplainCDRArgs) error {
	limit := args.Limit
	if limit <= 0 {
		limit = ShownExplained
	}
	limit = min(limit, maxExplained)
	for read := 0; read < maxExplained; read++ {
		var call rating.Call
		var rec cdrformat.Record
		if err := r.Read(&call, &rec); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if len(f.Records) == limit {
			f.More = true
			return nil
		}
		e := &ExplainedCDR{Line: rec.Line, Skipped: rec.Skipped, Unreadable: rec.Bad}
		for _, s := range rec.Said {
			e.Said = append(e.Said, SaidColumn{s.Column, s.Means, s.Text})
		}
		if rec.Bad != "" {
			e.Outcome, e.Reason, e.Detail = rating.OutcomeSuspended.String(), rating.ReasonBadRecord, rec.Bad
		} else if rec.Skipped == "" {
			call.Rated = call.Rated || args.File.Rated
			if err := e.try(tx, &call); err != nil {
				return err
			}
		}
		if !args.Held || e.Outcome == rating.OutcomeSuspended.String() {
			f.Records = append(f.Records, e)
		}
	}
	f.More = true
	return nil
}

// try tells of a call what charging would make of it.
func (e *ExplainedCDR) try(tx *storage.Tx, call *rating.Call) error {
	e.describe(call)
	e.Account = call.AccountRef
	matched := *call
	party, err := tx.Match(&matched)
	if err != nil && rating.KindOf(err) != rating.NotFound {
		return err
	}
	e.numbers(matched.Profile, call, &matched)
	if err == nil {
		e.Payer = &ExplainedPayer{ID: uint64(party.Account.ID), Name: party.Account.Name, Rule: party.Rule, Plan: party.Plan}
		if matched.Profile != nil {
			e.Payer.Profile = fmt.Sprintf("%s, revision %d", matched.Profile.Name, matched.Profile.Revision)
		}
		if party.Rule == "" {
			e.Payer.Rule = toldBy(call, party.Auth)
		}
	}
	v, err := tx.Try(call)
	if err != nil {
		return err
	}
	e.Outcome, e.Reason, e.Detail = v.Outcome.String(), v.Reason, v.Detail
	switch {
	case v.Outcome == rating.OutcomeDuplicate && v.ID == 0:
		e.Notes = append(e.Notes, "a record before it in this file is the same call")
	case v.Outcome == rating.OutcomeDuplicate:
		e.Earlier = strconv.FormatUint(uint64(v.ID), 10)
	case v.Outcome == rating.OutcomeSuspended && v.Suspense != 0:
		e.Earlier = strconv.FormatUint(v.Suspense, 10)
		e.Notes = append(e.Notes, "it waits in suspense already")
	case v.Outcome == rating.OutcomeRated, v.Outcome == rating.OutcomeFree:
		return e.price(tx, &call.CDR)
	}
	return nil
}

// toldBy says what tells the payer of a call whose source has no rules for that.
func toldBy(c *rating.Call, auth uint64) string {
	switch {
	case c.AccountRef != "":
		return "the account that the record names"
	case c.Customer() != 0 && auth == 0:
		return "customer_acc_id"
	}
	return fmt.Sprintf("customers-auth %d", auth)
}

// describe takes over what was read, or is stored.
func (e *ExplainedCDR) describe(c *rating.Call) {
	e.CallID, e.Source = c.CallID(), c.Text(rating.CDRSource)
	for _, at := range [...]struct {
		f  rating.CDRField
		to **time.Time
	}{{rating.CDRTimeStart, &e.Start}, {rating.CDRTimeConnect, &e.Connect}, {rating.CDRTimeEnd, &e.End}} {
		if c.Has(at.f) {
			t := c.Time(at.f)
			*at.to = &t
		}
	}
	if c.Has(rating.CDRDuration) {
		n := c.Int(rating.CDRDuration)
		e.Seconds = &n
	}
	e.Answered, e.Gateway = c.Bool(rating.CDRSuccess), c.Gateway
	if c.Inbound {
		e.Direction = rating.Inbound.String()
	}
	if from, _, _ := c.Origination(); from.IsValid() {
		e.IP = from.String()
	}
}

// numbers tells what each rule of a profile made of the numbers of a call as it came; rated has them as they are rated.
func (e *ExplainedCDR) numbers(p *rating.Profile, came, rated *rating.Call) {
	for _, end := range [...]struct {
		name        string
		in, routing rating.CDRField
	}{{"called", rating.CDRDstPrefixIn, rating.CDRDstPrefixRouting}, {"caller", rating.CDRSrcPrefixIn, rating.CDRSrcPrefixRouting}} {
		n := ExplainedEnd{End: end.name, Came: came.Text(end.in), Rated: rated.Text(end.routing)}
		if n.Came == "" {
			n.Came = came.Text(end.routing)
		}
		if n.Rated == "" {
			n.Rated = n.Came
		}
		if n.Came == "" {
			continue
		}
		if p != nil {
			rules := p.Called
			if end.name == "caller" {
				rules = p.Caller
			}
			rules.Trace(n.Came, func(r rating.NumberRule, before, after string) {
				n.Rules = append(n.Rules, ExplainedRule{r.String(), before, after})
			})
		}
		e.Numbers = append(e.Numbers, n)
	}
}

// price tells what the customer pays for a charged call.
func (e *ExplainedCDR) price(tx *storage.Tx, c *rating.CDR) error {
	price := c.Money(rating.CDRCustomerPrice)
	e.Price = &price
	if n := c.Int(rating.CDRDuration); e.Seconds == nil {
		e.Seconds = &n
	}
	side, err := ExplainSide(tx, c, rating.CustomerSide)
	if err != nil || side == nil {
		return err
	}
	e.Currency = side.Currency.String()
	if side.Note != "" {
		e.Notes = append(e.Notes, side.Note)
	}
	if side.Rate == 0 {
		return nil
	}
	e.Rate = &ExplainedRate{ID: uint64(side.Rate), Deck: side.Deck, Prefix: side.Prefix, Name: side.RateName, Steps: []ExplainStep{}}
	for _, s := range side.Steps {
		e.Rate.Steps = append(e.Rate.Steps, ExplainStep{s.Text, s.Amount})
	}
	return nil
}

// ExplainStored tells how a stored call was matched and charged, from what is stored. Fails with NotFound.
func ExplainStored(ctx context.Context, env *Env, id rating.CDRID) (e *ExplainedCDR, err error) {
	err = env.DB.View(ctx, func(tx *storage.Tx) error {
		var call rating.Call
		if err := tx.CDR(id, &call.CDR); err != nil {
			return err
		}
		m, matched := call.Matching()
		call.Gateway, call.Inbound = m.Gateway, m.Direction == rating.Inbound.String()
		e = &ExplainedCDR{ID: strconv.FormatUint(uint64(id), 10), Outcome: call.Status.String()}
		e.describe(&call)
		e.storedNumbers(tx, &call, m)
		if a, err := tx.Accounts.Get(uint64(call.Customer())); err == nil {
			e.Payer = &ExplainedPayer{ID: uint64(a.ID), Name: a.Name, Rule: m.Rule, Plan: uint64(call.Int(rating.CDRRateplanID))}
			switch auth := call.Int(rating.CDRCustomerAuthID); {
			case matched && m.Profile != "":
				e.Payer.Profile = fmt.Sprintf("%s, revision %d", m.Profile, m.Revision)
			case auth != 0:
				e.Payer.Rule = fmt.Sprintf("customers-auth %d", auth)
			}
			if e.Payer.Rule == "" {
				e.Payer.Rule = "the account that the record names"
			}
		} else if rating.KindOf(err) != rating.NotFound {
			return err
		}
		return e.price(tx, &call.CDR)
	})
	return e, err
}

// storedNumbers tells how the numbers of a stored call were made, where its profile is still the one that made them.
func (e *ExplainedCDR) storedNumbers(tx *storage.Tx, call *rating.Call, m rating.Matching) {
	s, err := tx.SourceNamed(m.Profile)
	switch {
	case m.Profile == "":
		e.numbers(nil, call, call)
	case err != nil:
		e.Notes = append(e.Notes, "source "+m.Profile+" is not there any more")
		e.numbers(nil, call, call)
	case s.Revision != m.Revision:
		e.Notes = append(e.Notes, fmt.Sprintf("source %s has changed since: it is at revision %d, the call was matched by %d", s.Name, s.Revision, m.Revision))
		e.numbers(nil, call, call)
	default:
		e.numbers(s.Rules(), call, call)
	}
}

// TestSourceArgs are `billd source test`: a call as the switch tells it.
type TestSourceArgs struct {
	Name    string `json:"name"`
	Number  string `json:"number"`
	Caller  string `json:"caller,omitempty"`
	Account string `json:"account,omitempty"`
	IP      string `json:"ip,omitempty"`
	Gateway string `json:"gateway,omitempty"`
	Inbound bool   `json:"inbound,omitempty"`
	Seconds int    `json:"seconds"`
	At      string `json:"at,omitempty"`
	JSON    bool   `json:"json,omitempty"`
}

// TestSource tells what a source's rules make of a call. Nothing is stored.
func TestSource(ctx context.Context, env *Env, args TestSourceArgs) (*ExplainedCDR, error) {
	at := env.DB.Now()
	var err error
	if args.At != "" {
		if at, err = parseInstant(args.At, time.UTC); err != nil {
			return nil, badArgument("at", "at %w", err)
		}
	}
	if args.Seconds < 0 {
		return nil, badArgument("seconds", "seconds %d: want 0 or more", args.Seconds)
	}
	call := &rating.Call{AccountRef: args.Account, Gateway: args.Gateway, Inbound: args.Inbound}
	call.SetTime(rating.CDRTimeStart, at)
	call.SetInt(rating.CDRDuration, int64(args.Seconds))
	for f, text := range map[rating.CDRField]string{rating.CDRDstPrefixIn: args.Number, rating.CDRSrcPrefixIn: args.Caller, rating.CDRAuthOrigIP: args.IP,
		rating.CDRSource: args.Name, rating.CDRDstPrefixRouting: strings.TrimPrefix(args.Number, "+"), rating.CDRSrcPrefixRouting: strings.TrimPrefix(args.Caller, "+")} {
		if err := call.Parse(f, text); err != nil {
			return nil, err
		}
	}
	e := &ExplainedCDR{}
	err = env.DB.View(ctx, func(tx *storage.Tx) error {
		if _, err := tx.SourceNamed(args.Name); err != nil {
			return err
		}
		return e.try(tx, call)
	})
	return e, err
}

func testSource(ctx context.Context, env *Env, args TestSourceArgs, o *IO) (int, error) {
	e, err := TestSource(ctx, env, args)
	if err != nil {
		return ExitFailed, err
	}
	return ExitOK, Print(o.Out, args.JSON, e, e.print)
}
