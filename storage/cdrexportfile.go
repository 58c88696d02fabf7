package storage

import (
	"context"
	"io"
)

// ExportFile returns the compressed file of an export. Each part is read in a View of its own, so that
// a slow reader holds nothing; if the file is deleted meanwhile, reading fails.
func (db *DB) ExportFile(tx *Tx, id uint64) io.Reader {
	return &exportFile{db: db, chunks: tx.chunksOf(id)}
}

type exportFile struct {
	db     *DB
	chunks []uint64
	part   []byte
}

// Read reads on in the file.
func (f *exportFile) Read(b []byte) (int, error) {
	for len(f.part) == 0 {
		if len(f.chunks) == 0 {
			return 0, io.EOF
		}
		err := f.db.View(context.Background(), func(tx *Tx) error {
			c, err := tx.exportChunks.Get(f.chunks[0])
			if err == nil {
				f.part = c.Body
			}
			return err
		})
		if err != nil {
			return 0, err
		}
		f.chunks = f.chunks[1:]
	}
	n := copy(b, f.part)
	f.part = f.part[n:]
	return n, nil
}
