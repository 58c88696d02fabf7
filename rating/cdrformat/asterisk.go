package cdrformat

import (
	"strings"

	"billd/rating"
)

// asteriskFields are the names of a CDR's fields, as tables, cdr_custom and JSON spell them.
var asteriskFields = map[string]role{
	"accountcode": roleAccount, "src": roleSrc, "dst": roleDst, "clid": roleName, "start": roleStart, "calldate": roleStart,
	"answer": roleAnswer, "end": roleEnd, "duration": roleLasted, "billsec": roleBilled, "disposition": roleDisposition,
	"uniqueid": roleIDShared, "sequence": roleSequence, "linkedid": roleGroup, "channel": roleChannel,
}

var (
	asteriskBase   = []string{"accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer", "end", "duration", "billsec", "disposition", "amaflags"}
	asteriskNew    = []string{"peeraccount", "linkedid", "sequence"}
	asteriskCustom = []string{"clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer", "end", "duration", "billsec", "disposition", "amaflags", "accountcode", "uniqueid", "userfield", "sequence"}
)

// asteriskRow are the columns of a row of Master.csv by their number: which of loguniqueid, loguserfield and
// newcdrcolumns the switch has on. nil when the number fits none of the format's.
// Source: cdr_csv.c, build_csv_record.
func asteriskRow(f Format, n int) []string {
	var with []string
	switch f {
	case AsteriskCustom:
		if n != len(asteriskCustom) {
			return nil
		}
		return asteriskCustom
	case AsteriskCSVUniqueID:
		with = []string{"uniqueid"}
	case AsteriskCSVUserField:
		with = []string{"userfield"}
	default:
		if n == 18 || n == 21 {
			with = []string{"uniqueid", "userfield"}
		}
	}
	columns := append(append([]string{}, asteriskBase...), with...)
	if n == len(columns)+len(asteriskNew) {
		columns = append(columns, asteriskNew...)
	}
	if n != len(columns) {
		return nil
	}
	return columns
}

// asteriskMiscount says why a row of n columns cannot be read.
func asteriskMiscount(f Format, n int) error {
	if f == AsteriskCSV && (n == 17 || n == 20) {
		return ambiguous(rating.Broken("record", "columns", "", "%d columns, one of which is the unique id or the user field", n), AsteriskCSVUniqueID, AsteriskCSVUserField)
	}
	want := map[Format]string{AsteriskCSV: "16, 18, 19 or 21", AsteriskCustom: "19"}[f]
	if want == "" {
		want = "17 or 20"
	}
	return rating.Broken("record", "columns", "", "%d columns: want %s", n, want)
}

// asteriskCall makes a call of a record. disposition says whether it was answered, billsec how long it is.
func asteriskCall(r *Reader, f *facts, record string, call *rating.Call, rec *Record) error {
	if id := f.text[roleIDShared]; id != "" { // one channel's records share it: forks, transfers
		if n := f.text[roleSequence]; n != "" {
			f.text[roleID] = id + "/" + n
		} else {
			f.text[roleID] = id + "#" + digest(strings.TrimSpace(record))
		}
		f.text[roleSIPCallID] = id
	}
	f.add(roleGateway, channelPeer(f.text[roleChannel]))
	t, err := f.times(r.stamps)
	if err != nil {
		return err
	}
	lasted, billed, err := f.lengths()
	if err != nil {
		return err
	}
	disposition := f.text[roleDisposition]
	if disposition == "" {
		return rating.Broken("disposition", "required", "", "the record does not say whether the call was answered")
	}
	answered, known := disposed(disposition)
	if !known && billed > 0 {
		return wrong("disposition", disposition, "ANSWERED, NO ANSWER, BUSY, FAILED, CONGESTION or CANCEL on a call with billed seconds")
	}
	if answered && billed < 0 && t.answer == 0 {
		return rating.Broken("billsec", "required", "", "answered, and neither billsec nor an answer time says how long")
	}
	if lasted > 0 && t.end == 0 {
		t.end = t.start + lasted
	}
	if lasted < 0 && t.end != 0 {
		lasted = t.end - t.start
	}
	if err := f.outlasts(billed, t.start, t.start+max(lasted, 0)); err != nil && lasted >= 0 {
		return err
	}
	return f.fill(call, t, answered, billed)
}

// channelPeer is the name in a channel's: of PJSIP/trunk-0000001a it is trunk.
func channelPeer(channel string) string {
	_, peer, _ := strings.Cut(channel, "/")
	if at := strings.LastIndexByte(peer, '-'); at > 0 {
		peer = peer[:at]
	}
	return peer
}

// disposed reads how a call ended; known is false for a word that says neither.
func disposed(word string) (answered, known bool) {
	switch strings.ToUpper(word) {
	case "ANSWERED", "ANSWER", "SUCCESS":
		return true, true
	case "NO ANSWER", "NOANSWER", "BUSY", "FAILED", "CONGESTION", "CANCEL", "CANCELED", "CANCELLED", "CHANUNAVAIL":
		return false, true
	}
	return false, false
}
