package storage

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"strings"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// ExportStatus says how far a CDRExport is.
type ExportStatus uint8

// The statuses.
const (
	ExportPending ExportStatus = iota
	ExportCompleted
	ExportFailed
	ExportDeleted
)

// String returns Yeti's word.
func (s ExportStatus) String() string {
	return [...]string{"Pending", "Completed", "Failed", "Deleted"}[s&3]
}

// Bounds of exports. A file that would be larger fails the export; files of finished ones are dropped
// when they have been kept long enough.
const (
	MaxExportRows     = 1_000_000
	MaxExportBytes    = 256 << 20 // compressed
	MaxPendingExports = 20        // of one account, and of the operators
	ExportKept        = 30 * 24 * time.Hour
	ExportChunkBytes  = 512 << 10
)

// CDRExport is a request for calls as a file, and what became of it.
type CDRExport struct {
	ID         uint64           `json:"id"`
	UUID       rating.UUID      `json:"uuid"`
	Account    rating.AccountID `json:"account,omitempty"` // whose customer asked; 0: an operator
	Fields     []string         `json:"fields"`            // columns as billd names them; "id" is the call's number
	Filters    json.RawMessage  `json:"filters"`           // as the dialect shows them
	Where      []ExportCond     `json:"where"`
	Status     ExportStatus     `json:"status"`
	Rows       *int64           `json:"rows,omitempty"`
	Size       int64            `json:"size,omitempty"` // of the compressed file
	Error      string           `json:"error,omitempty"`
	Callback   *string          `json:"callback,omitempty"`
	TimeFormat string           `json:"time_format,omitempty"`
	Zone       *string          `json:"zone,omitempty"`
	CreatedAt  time.Time        `json:"created_at"`
	UpdatedAt  time.Time        `json:"updated_at"`
}

// Search returns the calls that the export asks for, newest first.
func (e *CDRExport) Search() (*CallSearch, error) {
	s := &CallSearch{Newest: true}
	if e.Account != 0 {
		s.Accounts, s.Side = []rating.AccountID{e.Account}, rating.CustomerSide
	}
	for _, w := range e.Where {
		c, err := w.Compile()
		if err != nil {
			return nil, err
		}
		if c.Field == rating.CDRTimeStart && len(c.Within) == 1 && !c.Not {
			s.From = max(s.From, c.Within[0].Least)
			if most := c.Within[0].Most; most != math.MaxInt64 && (s.Till == 0 || most+1 < s.Till) {
				s.Till = max(most+1, 1)
			}
			continue
		}
		s.Where = append(s.Where, c)
	}
	return s, nil
}

// exportChunk is a part of an export's file.
type exportChunk struct {
	ID     uint64
	Export uint64
	Body   []byte
}

type cdrExportTables struct {
	cdrExports   kv.Table[CDRExport]
	exportChunks kv.Table[exportChunk]
}

// CDRExportRows are the tables of calls asked for as files.
type CDRExportRows struct {
	CDRExports   Rows[CDRExport]
	exportChunks Rows[exportChunk]
}

func newCDRExportTables() cdrExportTables {
	t := cdrExportTables{
		cdrExports: jsonTable("cdr export", bCDRExport, func(v *CDRExport) *uint64 { return &v.ID }),
		exportChunks: kv.Table[exportChunk]{Name: "cdr export chunk", Bucket: bCDRExportChunk, ID: func(v *exportChunk) *uint64 { return &v.ID },
			Encode: func(dst []byte, v *exportChunk) ([]byte, error) {
				return append(binary.BigEndian.AppendUint64(dst, v.Export), v.Body...), nil
			},
			Decode: func(_ uint64, b []byte, v *exportChunk) error {
				if len(b) < 8 {
					return rating.Errorf(rating.Internal, "row", "a part of an export does not decode")
				}
				v.Export, v.Body = binary.BigEndian.Uint64(b), bytes.Clone(b[8:])
				return nil
			}},
	}
	t.cdrExports.Audit = false // it is a record of work itself
	t.cdrExports.Unique = []kv.Unique[CDRExport]{{Bucket: bCDRExportUUID, Field: "uuid", Key: func(v *CDRExport) []byte { return uuidKey(v.UUID) }}}
	t.cdrExports.Index = []kv.Index[CDRExport]{
		{Bucket: bCDRExportAccount, Keys: func(v *CDRExport) [][]byte { return one(kv.Key(nil).U64(uint64(v.Account))) }},
		{Bucket: bCDRExportOpen, Keys: func(v *CDRExport) [][]byte {
			switch v.Status {
			case ExportPending:
				return one(kv.Key(nil).U8(0).U64(uint64(v.Account)))
			case ExportCompleted:
				return one(kv.Key(nil).U8(1).Milli(v.UpdatedAt))
			}
			return nil
		}},
	}
	t.exportChunks.Index = []kv.Index[exportChunk]{{Bucket: bCDRExportChunkOf, Keys: func(v *exportChunk) [][]byte { return one(kv.Key(nil).U64(v.Export)) }}}
	return t
}

func bindCDRExports(tx *Tx) CDRExportRows {
	return CDRExportRows{CDRExports: bind(tx, &schema.cdrExports), exportChunks: bind(tx, &schema.exportChunks)}
}

// cdrExports finds exports of accounts, and parts of exports, that are not there, and files that are
// not as long as they are said to be.
func (c *checker) cdrExports() {
	tx := c.tx
	size := map[uint64]int64{}
	tx.exportChunks.EachSound(func(p *exportChunk) {
		c.refer("cdr export chunk", p.ID, "cdr export", p.Export, tx.CDRExports.Has)
		size[p.Export] += int64(len(p.Body))
	})
	tx.CDRExports.EachSound(func(e *CDRExport) {
		if e.Account != 0 {
			c.refer("cdr export", e.ID, "account", uint64(e.Account), tx.Accounts.Has)
		}
		if e.Status == ExportCompleted && size[e.ID] != e.Size {
			c.fault("cdr export %d: its file is said to have %d bytes, it has %d", e.ID, e.Size, size[e.ID])
		}
	})
}

// CDRExportByUUID finds an export.
func (tx *Tx) CDRExportByUUID(u rating.UUID) (*CDRExport, error) {
	return tx.CDRExports.Find(bCDRExportUUID, uuidKey(u))
}

// CDRExportsOf calls fn with an account's exports, oldest first, until it returns false.
func (tx *Tx) CDRExportsOf(id rating.AccountID, fn func(*CDRExport) (bool, error)) error {
	return tx.CDRExports.EachUnder(bCDRExportAccount, kv.Key(nil).U64(uint64(id)), fn)
}

// PendingExports returns how many exports of an account wait, 0 for the operators'.
func (tx *Tx) PendingExports(id rating.AccountID) (n int, err error) {
	err = tx.CDRExports.EachUnder(bCDRExportOpen, kv.Key(nil).U8(0).U64(uint64(id)), func(*CDRExport) (bool, error) {
		n++
		return true, nil
	})
	return n, err
}

// WaitingExports returns the numbers of the exports that wait, lowest first.
func (tx *Tx) WaitingExports() (ids []uint64) {
	c := tx.Txn.Cursor(bCDRExportOpen)
	for k, _ := c.First(); k != nil && k[0] == 0; k, _ = c.Next() {
		ids = append(ids, kv.ID(k))
	}
	return ids
}

// OldExports returns the numbers of the completed exports whose files have been kept long enough.
func (tx *Tx) OldExports() (ids []uint64) {
	c := tx.Txn.Cursor(bCDRExportOpen)
	end := kv.Key(nil).U8(1).Milli(tx.now.Add(-ExportKept))
	for k, _ := c.Seek([]byte{1}); k != nil && bytes.Compare(k[:9], end) < 0; k, _ = c.Next() {
		ids = append(ids, kv.ID(k))
	}
	return ids
}

// CreateCDRExport stores a request for calls. Fails with Limit when too many of the account wait.
func (tx *Tx) CreateCDRExport(e *CDRExport) error {
	n, err := tx.PendingExports(e.Account)
	if err != nil {
		return err
	}
	if n >= MaxPendingExports {
		return rating.Errorf(rating.Limit, "export", "%d exports are pending, want at most %d", n, MaxPendingExports)
	}
	e.UUID, e.Status, e.CreatedAt, e.UpdatedAt = rating.NewUUID(tx.now), ExportPending, tx.now, tx.now
	return tx.CDRExports.Put(e)
}

// DropCDRExport deletes an export's file; the record stays.
func (tx *Tx) DropCDRExport(e *CDRExport) error {
	if err := tx.ClearCDRExport(e.ID); err != nil {
		return err
	}
	e.Status, e.UpdatedAt = ExportDeleted, tx.now
	return tx.CDRExports.Put(e)
}

// ClearCDRExport deletes what an export's file has so far.
func (tx *Tx) ClearCDRExport(id uint64) error {
	for _, chunk := range tx.chunksOf(id) {
		if err := tx.exportChunks.Delete(chunk); err != nil {
			return err
		}
	}
	return nil
}

// AppendCDRExport adds a part to an export's file. Fails with Conflict if the export no longer waits.
func (tx *Tx) AppendCDRExport(id uint64, part []byte) error {
	e, err := tx.CDRExports.Get(id)
	if err != nil {
		return err
	}
	if e.Status != ExportPending {
		return rating.Errorf(rating.Conflict, "export", "CDR export %d is %s", id, strings.ToLower(e.Status.String()))
	}
	return tx.exportChunks.Put(&exportChunk{Export: id, Body: part})
}

// chunksOf returns the numbers of an export's parts in order.
func (tx *Tx) chunksOf(id uint64) (ids []uint64) {
	c := tx.Txn.Cursor(bCDRExportChunkOf)
	under := kv.Key(nil).U64(id)
	for k, _ := c.Seek(under); bytes.HasPrefix(k, under) && k != nil; k, _ = c.Next() {
		ids = append(ids, kv.ID(k))
	}
	return ids
}
