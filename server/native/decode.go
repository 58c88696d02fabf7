package native

import (
	"bytes"
	"strconv"

	"billd/rating"
	"billd/rating/cdrformat"
	"billd/storage"

	"github.com/tidwall/gjson"
)

// maxRecords bounds one ingest request.
const maxRecords = 10000 // a group of the queue; larger files go through import

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
	if bytes.Contains(body, []byte(`"cdrs"`)) && gjson.ValidBytes(body) {
		if cdrs := gjson.GetBytes(body, "cdrs"); cdrs.IsArray() {
			return decodeArray(cdrs, source)
		}
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
		records = append(records, decodeCall(string(line), source))
	}
	return records, nil
}

func unreadable(raw, source, why string) storage.Record {
	return storage.Record{Raw: raw, Source: source, Detail: why}
}

// decodeCall reads one JSON value as a call.
func decodeCall(raw, source string) storage.Record {
	if len(raw) > cdrformat.MaxRecord {
		return unreadable(raw[:1024], source, "the record is longer than 64 KiB")
	}
	call := &rating.Call{}
	if err := cdrformat.ParseJSON(raw, source, call); err != nil {
		return unreadable(raw, source, err.Error())
	}
	if call.Exported.Known {
		return unreadable(raw, source, "an export comes in by billd import-cdrs")
	}
	return storage.Record{Call: call}
}
