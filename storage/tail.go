package storage

import "billd/storage/kv"

// TailPosition is how far a growing file of call records is taken in. The file is known by its device, inode
// and beginning, because its name passes to another when it is rotated.
type TailPosition struct {
	ID     uint64 `json:"id,omitempty"`
	File   string `json:"file"` // its absolute path
	Device uint64 `json:"device,omitempty"`
	Inode  uint64 `json:"inode,omitempty"`
	Offset int64  `json:"offset,omitempty"` // bytes, the beginning of a line
	Line   int64  `json:"line,omitempty"`   // lines before that; 0 behind the beginning is not known
	Head   string `json:"head,omitempty"`   // a digest of the file's first bytes
	Headed int    `json:"headed,omitempty"` // how many bytes that are
}

type tailTables struct{ tails kv.Table[TailPosition] }

// TailRows is the table of growing files.
type TailRows struct{ Tails Rows[TailPosition] }

func newTailTables() tailTables {
	t := jsonTable("tail", bTail, func(v *TailPosition) *uint64 { return &v.ID })
	t.Unique = []kv.Unique[TailPosition]{{Bucket: bTailFile, Field: "file", Key: func(v *TailPosition) []byte { return textKey(v.File) }}}
	t.Audit = false // a record of work
	return tailTables{t}
}

func bindTails(tx *Tx) TailRows { return TailRows{bind(tx, &schema.tails)} }

// TailOf returns how far a file is taken in: of one that nobody knows, a position with its name alone.
func (tx *Tx) TailOf(file string) (TailPosition, error) {
	p, err := tx.Tails.Rows.Find(bTailFile, textKey(file))
	if err == kv.ErrNotFound {
		return TailPosition{File: file}, nil
	}
	if err != nil {
		return TailPosition{}, err
	}
	return *p, nil
}

// KeepTail keeps p in place of what was kept of its file.
func (tx *Tx) KeepTail(p TailPosition) error {
	old, err := tx.TailOf(p.File)
	if err != nil {
		return err
	}
	p.ID = old.ID
	return tx.Tails.Put(&p)
}
