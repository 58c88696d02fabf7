package native

import (
	"bytes"
	"strconv"

	"billd/rating"
	"billd/storage"

	"github.com/tidwall/gjson"
)

// Limits of one ingest request.
const (
	maxRecords     = 10000 // a group of the queue; larger files go through import
	maxRecordBytes = 64 << 10
)

// decodeCalls reads a body of call records: one object, an array of them, objects under "cdrs", or
// NDJSON. Each becomes a call, or the text and the reason why it could not be read. Only a body that
// is no JSON at all, or too many records, is refused as a whole.
func decodeCalls(body []byte, source string) ([]storage.Record, error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	if len(body) == 0 {
		return nil, rating.Broken("body", "required", "", "the body is empty: want a CDR as JSON")
	}
	switch {
	case body[0] == '[':
		if !gjson.ValidBytes(body) {
			return nil, notJSON()
		}
		return decodeArray(gjson.ParseBytes(body), source)
	case body[0] == '{' && bytes.IndexByte(body, '\n') < 0, body[0] == '{' && gjson.ValidBytes(body):
		return decodeObject(body, source)
	case body[0] == '{':
		return decodeLines(body, source)
	}
	return nil, notJSON()
}

func notJSON() error {
	return rating.Broken("body", "json", "", "the body is not JSON: want an object, an array of objects or one object a line")
}

func tooMany() error {
	return rating.Broken("body", "maximum", strconv.Itoa(maxRecords), "more than %d records in one request", maxRecords)
}

func decodeArray(list gjson.Result, source string) (records []storage.Record, err error) {
	list.ForEach(func(_, v gjson.Result) bool {
		if len(records) == maxRecords {
			err = tooMany()
			return false
		}
		records = append(records, decodeCall(v.Raw, source))
		return true
	})
	return records, err
}

func decodeObject(body []byte, source string) ([]storage.Record, error) {
	if !gjson.ValidBytes(body) {
		return []storage.Record{unreadable(string(body), source, "the record is not valid JSON")}, nil
	}
	if cdrs := gjson.GetBytes(body, "cdrs"); cdrs.IsArray() {
		return decodeArray(cdrs, source)
	}
	return []storage.Record{decodeCall(string(body), source)}, nil
}

func decodeLines(body []byte, source string) (records []storage.Record, err error) {
	for line := range bytes.Lines(body) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if len(records) == maxRecords {
			return nil, tooMany()
		}
		if !gjson.ValidBytes(line) {
			records = append(records, unreadable(string(line), source, "the record is not valid JSON"))
			continue
		}
		records = append(records, decodeCall(string(line), source))
	}
	return records, nil
}

func unreadable(raw, source, why string) storage.Record {
	return storage.Record{Raw: raw, Source: source, Detail: why}
}

// decodeCall reads one valid JSON value as a call. Numbers are taken as their text, never as floats.
func decodeCall(raw, source string) storage.Record {
	v := gjson.Parse(raw)
	if !v.IsObject() {
		return unreadable(raw, source, "the record is not a JSON object")
	}
	if len(raw) > maxRecordBytes {
		return unreadable(raw[:1024], source, "the record is longer than 64 KiB")
	}
	call := &rating.Call{}
	var bad error
	v.ForEach(func(key, value gjson.Result) bool {
		bad = setMember(call, key.String(), value)
		return bad == nil
	})
	if bad != nil {
		return unreadable(raw, source, bad.Error())
	}
	if !call.Has(rating.CDRSource) {
		call.SetText(rating.CDRSource, source)
	}
	return storage.Record{Call: call}
}

// setMember reads one member of a record by its name. Members that billd does not know are passed over:
// switches send more than a bill needs.
func setMember(call *rating.Call, name string, value gjson.Result) error {
	if value.Type == gjson.Null {
		return nil
	}
	text := value.Str
	if value.Type != gjson.String {
		text = value.Raw
	}
	switch name {
	case "account", "account_id":
		call.AccountRef = text
		return nil
	case "vendor_account", "vendor_account_id":
		call.VendorRef = text
		return nil
	case "src":
		return setBoth(call, rating.CDRSrcPrefixRouting, rating.CDRSrcPrefixIn, text)
	case "dst":
		return setBoth(call, rating.CDRDstPrefixRouting, rating.CDRDstPrefixIn, text)
	case "unrated":
		if value.Bool() {
			call.Status = rating.Unrated
		}
		return nil
	}
	f, ok := rating.CDRFieldNamed(name)
	if !ok {
		return nil
	}
	if (value.IsObject() || value.IsArray()) && f.Kind() != rating.KindJSON && f.Kind() != rating.KindInts {
		return rating.Broken(name, "type", "", "%s: want one value", name)
	}
	if f.Kind() == rating.KindJSON {
		text = value.Raw
	}
	return call.Parse(f, text)
}

// setBoth sets the number that is rated and, where the record does not say otherwise, the number as it
// came in.
func setBoth(call *rating.Call, routing, in rating.CDRField, text string) error {
	if err := call.Parse(routing, text); err != nil {
		return err
	}
	if call.Has(in) {
		return nil
	}
	return call.Parse(in, text)
}
