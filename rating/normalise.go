package rating

import "time"

// normalise fills what follows from what was given, and refuses times that no call can have.
func (c *Call) normalise(s *Settings, now time.Time) (reason, detail string) {
	if !c.Has(CDRTimeStart) {
		return ReasonBadTime, "time_start is missing"
	}
	start := c.Int(CDRTimeStart)
	if start < minStartMicro || start >= maxStartMicro {
		return ReasonBadTime, "time_start " + c.Format(CDRTimeStart) + ": want a year from 1970 to 2199"
	}
	if !c.Rated && start > now.Add(MaxFuture).UnixMicro() {
		return ReasonBadTime, "time_start " + c.Format(CDRTimeStart) + ": more than 5 minutes in the future"
	}
	for _, f := range [...]CDRField{CDRTimeConnect, CDRTimeEnd} {
		if c.Has(f) && (c.Int(f) < minStartMicro || c.Int(f) >= maxStartMicro) {
			return ReasonBadTime, f.Name() + " " + c.Format(f) + ": want a year from 1970 to 2199"
		}
	}
	const cutOff = 1_000_000 // a source may give one instant in whole seconds and the other exactly
	if c.Has(CDRTimeConnect) && c.Int(CDRTimeConnect) < start-cutOff && !c.Rated {
		return ReasonBadTime, "time_connect is before time_start"
	}
	if c.Has(CDRTimeEnd) && c.Int(CDRTimeEnd) < start && !c.Rated {
		return ReasonBadTime, "time_end is before time_start"
	}
	if c.Has(CDRTimeEnd) && c.Has(CDRTimeConnect) && c.Int(CDRTimeEnd) < c.Int(CDRTimeConnect) && !c.Rated {
		return ReasonBadTime, "time_end is before time_connect"
	}
	if c.Has(CDRDuration) && (c.Int(CDRDuration) < 0 || c.Int(CDRDuration) > 1<<31) {
		return ReasonBadTime, "duration " + c.Format(CDRDuration) + ": want 0 to 2147483648 seconds"
	}
	if !c.Has(CDRIsLastCDR) {
		c.SetBool(CDRIsLastCDR, true)
	}
	if !c.Has(CDRSuccess) && !c.Rated {
		c.SetBool(CDRSuccess, c.Has(CDRTimeConnect) || c.Int(CDRDuration) > 0)
	}
	return "", ""
}

// talk sets the call's duration by the deck's rule when the source gave none (R4).
func (c *Call) talk(p Preset, s *Settings) {
	if c.Has(CDRDuration) {
		return
	}
	if !c.Has(CDRTimeConnect) || !c.Has(CDRTimeEnd) {
		c.SetInt(CDRDuration, 0)
		return
	}
	connect, end := c.Int(CDRTimeConnect), c.Int(CDRTimeEnd)
	if p == PresetYeti {
		c.SetInt(CDRDuration, int64(WholeSeconds(end-connect, s.DurationMode)))
		return
	}
	c.SetInt(CDRDuration, max(end/1_000_000-connect/1_000_000, 0))
}

// number returns what is matched against prefixes.
func (c *Call) number() string {
	if n := c.Text(CDRDstPrefixRouting); n != "" {
		return n
	}
	return c.Text(CDRDstPrefixIn)
}
