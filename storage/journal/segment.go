package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"

	"billd/storage/kv"
)

// A segment file is a header and records, each padded to 8 bytes:
//
//	header  magic (8) id (8) after (8) crc of these 24 bytes (4) zero (4)
//	record  length of ops (4) crc of the rest (4) segment id (8) number from 1 (8) ops
//	op      length of bucket and key (uvarint) 0 for a deletion or value length + 1 (uvarint) bucket (1) key value
//
// Numbers are little-endian but for the uvarints. The file is filled with zeros ahead of its end, so that
// a sync writes data and no metadata.
const (
	segmentMagic = 0x31306c6e72756f6a // "journl01"
	headerSize   = 32
	recordHeader = 24
	fillStep     = 4 << 20
	maxOps       = 1 << 30 // bytes of a record that a reader believes
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// segment is a file that records are appended to: the writer reserves room, who syncs writes there.
type segment struct {
	path     string
	file     *os.File
	filled   int64 // bytes that are written, zeros included
	reserved int64 // bytes that records may take
	id       uint64
	after    uint64 // the mark of the state that it goes on from
	end      int64  // where the next record goes, 0 before start
	number   uint64 // of the last record
	noSync   bool
}

func padded(n int) int { return (n + 7) &^ 7 }

// start makes s an empty segment with a new id. Nothing is written before the first record.
func (s *segment) start(id, after uint64) {
	s.id, s.after, s.end, s.number, s.reserved = id, after, headerSize, 0, headerSize
}

// reserve makes room for a transaction's record, whatever else is written first. A failure leaves the
// segment as it was.
func (s *segment) reserve(size int) error {
	want := s.reserved + int64(padded(size))
	if err := s.fill(want); err != nil {
		return err
	}
	s.reserved = want
	return nil
}

// append writes a record whose first recordHeader bytes are free, in room that was reserved, and syncs.
// After a failure it is not known what is on the disk.
func (s *segment) append(rec []byte) error {
	ops := len(rec) - recordHeader
	for len(rec)%8 != 0 {
		rec = append(rec, 0)
	}
	binary.LittleEndian.PutUint32(rec, uint32(ops))
	binary.LittleEndian.PutUint64(rec[8:], s.id)
	binary.LittleEndian.PutUint64(rec[16:], s.number+1)
	binary.LittleEndian.PutUint32(rec[4:], crc32.Checksum(rec[8:], castagnoli))
	if s.number == 0 {
		if _, err := s.file.WriteAt(s.header(), 0); err != nil {
			return err
		}
	}
	if _, err := s.file.WriteAt(rec, s.end); err != nil {
		return err
	}
	if !s.noSync {
		if err := dataSync(s.file); err != nil {
			return err
		}
	}
	s.end += int64(len(rec))
	s.number++
	return nil
}

func (s *segment) header() []byte {
	b := make([]byte, headerSize)
	binary.LittleEndian.PutUint64(b, segmentMagic)
	binary.LittleEndian.PutUint64(b[8:], s.id)
	binary.LittleEndian.PutUint64(b[16:], s.after)
	binary.LittleEndian.PutUint32(b[24:], crc32.Checksum(b[:24], castagnoli))
	return b
}

// fill makes the file at least size bytes long, creating it where needed.
func (s *segment) fill(size int64) error {
	if s.file == nil {
		f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return err
		}
		info, err := f.Stat()
		if err != nil {
			f.Close()
			return err
		}
		s.file, s.filled = f, info.Size()
	}
	if size <= s.filled {
		return nil
	}
	zeros := make([]byte, 1<<20)
	for size > s.filled {
		for want := s.filled + fillStep; s.filled < want; {
			n, err := s.file.WriteAt(zeros[:min(int64(len(zeros)), want-s.filled)], s.filled)
			s.filled += int64(n)
			if err != nil {
				return err
			}
		}
	}
	if s.noSync {
		return nil
	}
	return s.file.Sync() // the length too
}

func (s *segment) close() {
	if s.file != nil {
		s.file.Close()
		s.file = nil
	}
}

func (s *segment) remove() error {
	s.close()
	if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// stored is a segment as a reader finds it.
type stored struct {
	id, after uint64
	ops       [][]byte
	damage    error // a record between whole ones cannot be read
}

// readSegment reads a file's records up to its end or to one that is torn. A file that is no segment, or
// one that never got a record, has none.
func readSegment(path string) (stored, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return stored{}, nil
	}
	if err != nil {
		return stored{}, err
	}
	return parseSegment(b), nil
}

func parseSegment(b []byte) (s stored) {
	if len(b) < headerSize || binary.LittleEndian.Uint64(b) != segmentMagic ||
		binary.LittleEndian.Uint32(b[24:]) != crc32.Checksum(b[:24], castagnoli) {
		return stored{}
	}
	s.id, s.after = binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
	at := headerSize
	for {
		ops, size := recordAt(b[at:], s.id, uint64(len(s.ops)+1))
		if ops == nil {
			break
		}
		s.ops = append(s.ops, ops)
		at += size
	}
	for i := at + 8; i+recordHeader <= len(b); i += 8 {
		if binary.LittleEndian.Uint64(b[i+8:]) != s.id {
			continue
		}
		if n := binary.LittleEndian.Uint64(b[i+16:]); n > uint64(len(s.ops))+1 {
			if ops, _ := recordAt(b[i:], s.id, n); ops != nil {
				s.damage = fmt.Errorf("the journal is damaged at byte %d: record %d cannot be read, record %d can", at, len(s.ops)+1, n)
				break
			}
		}
	}
	return s
}

// recordAt returns the ops of the record that b begins with, nil if it is not that one, and its size.
func recordAt(b []byte, id, number uint64) ([]byte, int) {
	if len(b) < recordHeader || binary.LittleEndian.Uint64(b[8:]) != id || binary.LittleEndian.Uint64(b[16:]) != number {
		return nil, 0
	}
	n := int(binary.LittleEndian.Uint32(b))
	if n == 0 || n > maxOps {
		return nil, 0
	}
	size := padded(recordHeader + n)
	if size > len(b) || crc32.Checksum(b[8:size], castagnoli) != binary.LittleEndian.Uint32(b[4:]) {
		return nil, 0
	}
	return b[recordHeader : recordHeader+n], size
}

var errOps = errors.New("the journal holds a record that makes no sense")

// eachOp calls fn with the writes of a record in their order; value is nil for a deletion.
func eachOp(ops []byte, fn func(b kv.Bucket, key, value []byte) error) error {
	for len(ops) > 0 {
		klen, n := binary.Uvarint(ops)
		if n <= 0 {
			return errOps
		}
		ops = ops[n:]
		vlen, n := binary.Uvarint(ops)
		if n <= 0 {
			return errOps
		}
		ops = ops[n:]
		if klen < 2 || klen > uint64(len(ops)) || vlen > uint64(len(ops))-klen+1 {
			return errOps
		}
		b, key := kv.Bucket(ops[0]), ops[1:klen]
		ops = ops[klen:]
		var value []byte
		if vlen > 0 {
			value = ops[: vlen-1 : vlen-1]
			ops = ops[vlen-1:]
		}
		if err := fn(b, key, value); err != nil {
			return err
		}
	}
	return nil
}
