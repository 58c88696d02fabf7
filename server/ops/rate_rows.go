package ops

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"billd/rating"
	"billd/rating/deckcsv"
	"billd/storage"
)

// rateExtras are the columns of billd's own export beyond deckcsv's.
var rateExtras = []string{"kazoo_id", "preset", "extra"}

// givenBy pairs what a price list's row can give in both spellings.
var givenBy = [...]struct {
	cell deckcsv.Field
	says storage.RateFields
}{
	{deckcsv.FieldPrice, storage.GivePrice}, {deckcsv.FieldNextPrice, storage.GiveNextPrice}, {deckcsv.FieldConnect, storage.GiveConnect},
	{deckcsv.FieldFirst, storage.GiveFirst}, {deckcsv.FieldNext, storage.GiveNext}, {deckcsv.FieldIncrement, storage.GiveFirst | storage.GiveNext},
	{deckcsv.FieldFree, storage.GiveFree}, {deckcsv.FieldGrace, storage.GiveGrace}, {deckcsv.FieldNoCharge, storage.GiveGrace},
	{deckcsv.FieldSurcharge, storage.GiveSurcharge}, {deckcsv.FieldMinCost, storage.GiveMinCost}, {deckcsv.FieldMaxCost, storage.GiveMaxCost},
	{deckcsv.FieldFrom, storage.GiveFrom}, {deckcsv.FieldTill, storage.GiveTill}, {deckcsv.FieldBlocked, storage.GiveBlocked},
	{deckcsv.FieldName, storage.GiveName}, {deckcsv.FieldType, storage.GiveLabel},
}

// listed makes the store's row of a file's row. Fails with Invalid if a cell cannot be.
func (j *ratesJob) listed(row *deckcsv.Row, form deckcsv.Form) (*storage.ListedRate, error) {
	l := &storage.ListedRate{Line: row.Line, Rate: rating.Rate{Prefix: row.Prefix, Name: row.Name, Terms: row.Terms, From: row.From, Till: row.Till, Blocked: row.Blocked}}
	for _, g := range givenBy {
		if row.Given.Has(g.cell) {
			l.Given |= g.says
		}
	}
	if row.Type != "" {
		label, ok := rating.ParseRateLabel(row.Type)
		if !ok {
			return nil, rating.Broken("type", "inclusion", "", "type %q: want LOCAL, NATIONAL, INTERNATIONAL or MOBILE", row.Type)
		}
		l.Rate.Label = label
	}
	if row.Change == deckcsv.Deleted {
		l.Given |= storage.GiveEnd
		if !row.Till.IsZero() { // what is withdrawn ends then
			l.Rate.From, l.Rate.Till = row.Till, time.Time{}
			l.Given |= storage.GiveFrom
		}
	}
	var currency rating.Currency
	var preset rating.Preset
	for _, e := range row.Extra {
		if err := setExtra(l, e, form, &currency, &preset); err != nil {
			return nil, err
		}
	}
	if form == deckcsv.FormBilld && (l.Rate.ID != 0 || !l.Rate.UUID.IsZero()) {
		l.Given |= storage.GiveWhole
	}
	return l, j.im.Adopt(currency, preset)
}

// setExtra sets the field of a rate that a carried cell stands for. What the store has no place for is
// left out, as the preview's columns say.
func setExtra(l *storage.ListedRate, e deckcsv.Extra, form deckcsv.Form, currency *rating.Currency, preset *rating.Preset) (err error) {
	r := &l.Rate
	short := func(field storage.RateFields) uint8 {
		n, perr := strconv.ParseUint(e.Value, 10, 8)
		if perr != nil {
			err = rating.Broken(e.Name, "maximum", "255", "%s %q: want 0 to 255", e.Name, e.Value)
		}
		l.Given |= field
		return uint8(n)
	}
	switch e.Name {
	case "weight":
		r.Weight = short(storage.GiveWeight)
	case "min_length":
		r.MinLen = short(storage.GiveMinLen)
	case "max_length":
		r.MaxLen = short(storage.GiveMaxLen)
	case "enabled":
		r.Disabled = e.Value == "false"
		l.Given |= storage.GiveDisabled
	case "reverse_billing":
		r.Reverse = e.Value == "true"
		l.Given |= storage.GiveReverse
	case "country":
		r.Extra.ISO = e.Value
		l.Given |= storage.GiveISO
	case "external_id":
		n, perr := strconv.ParseInt(e.Value, 10, 64)
		if perr != nil {
			return rating.Broken(e.Name, "format", "", "external_id %q: want a whole number", e.Value)
		}
		r.External = &n
		l.Given |= storage.GiveExternal
	case "direction":
		switch e.Value {
		case "inbound", "in":
			r.Direction = rating.Inbound
		case "outbound", "out", "both":
		default:
			return rating.Broken(e.Name, "inclusion", "", "direction %q: want outbound or inbound", e.Value)
		}
	case "currency":
		*currency, err = rating.ParseCurrency(e.Value)
	default:
		if form == deckcsv.FormBilld {
			return setOwnExtra(r, e, preset)
		}
	}
	return err
}

// setOwnExtra sets what only billd's own export carries.
func setOwnExtra(r *rating.Rate, e deckcsv.Extra, preset *rating.Preset) (err error) {
	switch e.Name {
	case "number":
		n, perr := strconv.ParseUint(e.Value, 10, 63)
		if perr != nil || n == 0 {
			return rating.Broken(e.Name, "format", "", "number %q: want a whole number from 1 on", e.Value)
		}
		r.ID = rating.RateID(n)
	case "uuid":
		r.UUID, err = rating.ParseUUID(e.Value)
	case "kazoo_id":
		r.KazooID = e.Value
	case "preset":
		*preset, err = rating.ParsePreset(e.Value)
	case "extra":
		iso := r.Extra.ISO
		if json.Unmarshal([]byte(e.Value), &r.Extra) != nil {
			return rating.Broken(e.Name, "format", "", "extra: want a JSON object as billd exported it")
		}
		r.Extra.ISO = iso
	}
	return err
}

// fileRow makes a file's row of a stored rate.
func fileRow(deck *rating.Deck, r *rating.Rate, uuid rating.UUID) (*deckcsv.Row, error) {
	row := &deckcsv.Row{Prefix: r.Prefix, Name: r.Name, Terms: r.Terms, From: r.From, Till: r.Till, Blocked: r.Blocked, Type: r.Label.String()}
	add := func(name, value string) { row.Extra = append(row.Extra, deckcsv.Extra{Name: name, Value: value}) }
	small := func(name string, n uint8) {
		if n != 0 {
			add(name, strconv.Itoa(int(n)))
		}
	}
	add("number", strconv.FormatUint(uint64(r.ID), 10))
	add("uuid", uuid.String())
	if r.External != nil {
		add("external_id", strconv.FormatInt(*r.External, 10))
	}
	add("direction", r.Direction.String())
	add("reverse_billing", strconv.FormatBool(r.Reverse))
	add("enabled", strconv.FormatBool(!r.Disabled))
	small("weight", r.Weight)
	small("min_length", r.MinLen)
	small("max_length", r.MaxLen)
	add("currency", deck.Currency.String())
	add("country", r.Extra.ISO)
	add("kazoo_id", r.KazooID)
	add("preset", deck.Preset.String())
	rest := r.Extra
	rest.ISO = ""
	text, err := json.Marshal(&rest)
	if err != nil {
		return nil, fmt.Errorf("rate %d: %w", r.ID, err)
	}
	if !reflect.ValueOf(rest).IsZero() {
		add("extra", string(text))
	}
	return row, nil
}
