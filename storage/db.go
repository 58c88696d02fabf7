package storage

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// DB is an open store. It is safe for concurrent use.
type DB struct {
	engine kv.Engine
	now    func() time.Time

	tails    sideTails
	mu       sync.Mutex // held through every Update, but for the sync of one that publishes nothing
	accounts map[rating.AccountID]*rating.Account
	refs     map[string]*rating.Account // by name and UUID; see cachedRef
	spare    *callBatch                 // memory of the last transaction that charged calls
	known    *knownCalls
	payers   atomic.Pointer[payers]
	catalog  atomic.Pointer[Catalog]
	settings atomic.Pointer[rating.Settings]
	guard    atomic.Pointer[guardBook]
	alarms   atomic.Int64 // of the fraud guard, raised since the store was opened
	space    spaces
	cdrSpace atomic.Pointer[[6]byte] // in the UUIDs of calls; see Tx.continues

	radius   radiusState
	switches switchState
	dialogs  atomic.Int64 // calls that are told in halves, about: see DB.countDialogs
	zones    sync.Map     // zone name → *time.Location
	outcomes [4]atomic.Int64
}

// spaces are the random parts of computed UUIDs, made with the store.
type spaces struct {
	Rate [6]byte
}

// Options tune Open.
type Options struct {
	Now      func() time.Time // the clock; time.Now when nil
	Currency rating.Currency  // of a new store; EUR when not set
	Existing bool             // an empty store is not made one: NotFound
}

// Open readies a store on an open engine: it checks the schema, makes the first records in an empty
// store, finishes what a crash interrupted and loads the decks. It takes the engine over: Close closes it.
func Open(ctx context.Context, engine kv.Engine, o Options) (*DB, error) {
	db := &DB{engine: engine, now: o.Now, accounts: map[rating.AccountID]*rating.Account{}}
	db.payers.Store(&payers{})
	if db.now == nil {
		db.now = time.Now
	}
	if o.Currency == (rating.Currency{}) {
		o.Currency = rating.Currency{'E', 'U', 'R'}
	}
	if err := db.begin(ctx, o); err != nil {
		engine.Close()
		return nil, err
	}
	return db, nil
}

func (db *DB) begin(ctx context.Context, o Options) error {
	var version int
	err := db.engine.View(ctx, func(t kv.Txn) error {
		if b := t.Get(bMeta, []byte("schema")); b != nil {
			return json.Unmarshal(b, &version)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if version > SchemaVersion {
		return rating.Errorf(rating.Unsupported, "schema", "the store has schema %d, this billd knows %d: use a newer billd", version, SchemaVersion)
	}
	if version == 0 && o.Existing {
		return rating.Errorf(rating.NotFound, "schema", "no billd has ever written to it")
	}
	db.tails.publish(&sideTail{})
	if version == 0 {
		if err := db.create(ctx, o); err != nil {
			return err
		}
	}
	if err := db.loadTail(ctx); err != nil {
		return err
	}
	if err := db.loadSettings(ctx); err != nil {
		return err
	}
	if err := db.recoverImports(ctx); err != nil {
		return err
	}
	if err := db.loadCatalog(ctx); err != nil {
		return err
	}
	if err := db.countDialogs(ctx); err != nil {
		return err
	}
	return db.settleReversals(ctx)
}

// create makes the records that every store starts with.
func (db *DB) create(ctx context.Context, o Options) error {
	var sp [12]byte
	if _, err := rand.Read(sp[:]); err != nil {
		return err
	}
	settings := rating.Settings{Currency: o.Currency, DurationMode: 1,
		CustomerRounding: rating.PresetYeti.Rounding(), VendorRounding: rating.PresetYeti.Rounding()}
	db.settings.Store(&settings)
	db.catalog.Store(&Catalog{})
	db.guard.Store(newGuardBook(guardDefaults{}, 0, nil))
	return db.Update(ctx, func(tx *Tx) error {
		for key, v := range map[string]any{"schema": SchemaVersion, "spaces": sp[:], "created_at": tx.Now()} {
			if err := tx.putMeta(key, v); err != nil {
				return err
			}
		}
		if err := tx.SaveSettings(&settings); err != nil {
			return err
		}
		if err := tx.seedNetworkTypes(); err != nil {
			return err
		}
		owner := &Contractor{Name: "operator", Enabled: true, Customer: true, Vendor: true}
		if err := tx.Contractors.Put(owner); err != nil {
			return err
		}
		master := &rating.Account{Name: "master", Contractor: owner.ID, Currency: o.Currency, Reseller: true}
		if err := tx.CreateAccount(master); err != nil {
			return err
		}
		deck := &rating.Deck{Name: "default", Currency: o.Currency, Preset: rating.PresetPortSIP, CreatedAt: tx.Now()}
		if err := tx.Decks.Put(deck); err != nil {
			return err
		}
		return tx.Plans.Put(&rating.RatePlan{UUID: rating.NewUUID(tx.Now()), Name: "default", Decks: []rating.DeckID{deck.ID}, ProfitControl: 1})
	})
}

// Close closes the store and its engine.
func (db *DB) Close() error { return db.engine.Close() }

// Now returns the store's clock.
func (db *DB) Now() time.Time { return db.now().UTC() }

// Settings returns the settings in force; callers must not change them.
func (db *DB) Settings() *rating.Settings { return db.settings.Load() }

// Backup streams a consistent copy of the store while work goes on.
func (db *DB) Backup(ctx context.Context, w io.Writer) (int64, error) {
	return db.engine.Backup(ctx, w)
}

// Compact rewrites the store without its free pages.
func (db *DB) Compact(ctx context.Context, progress func(done, total int64)) error {
	return db.engine.Compact(ctx, progress)
}

// Stats says how large the store is.
func (db *DB) Stats() kv.Stats { return db.engine.Stats() }

// View runs fn on one state of the store.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) error {
	for {
		var tail *sideTail
		err := db.engine.View(ctx, func(t kv.Txn) error {
			if tail = db.tails.of(t); tail == nil {
				return nil
			}
			return fn(db.newTx(ctx, withTail(t, tail)))
		})
		if tail != nil || err != nil {
			return err
		}
		if err := db.reloadTail(ctx); err != nil {
			return err
		}
	}
}

// Update runs fn in one transaction: all that it writes is kept, after one fsync, or nothing is.
//
// fn may be run again and has no effect but on its Tx. Nothing slow belongs inside. Decks, accounts
// and settings that it changed are published before the next Update begins; one that changed none of
// these lets the next begin while its own sync is under way.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	wait, err := db.stage(ctx, db.engine.Stage, fn)
	if err != nil {
		return err
	}
	return wait()
}

// Bulk is Update for thousands of rows: a step of an import.
func (db *DB) Bulk(ctx context.Context, fn func(*Tx) error) error {
	_, err := db.stage(ctx, func(ctx context.Context, fn func(kv.Txn) error) (func() error, error) {
		return func() error { return nil }, db.engine.Bulk(ctx, fn)
	}, fn)
	return err
}

// stage runs fn and publishes what it changed. wait returns when the transaction is durable.
func (db *DB) stage(ctx context.Context, commit func(context.Context, func(kv.Txn) error) (func() error, error), fn func(*Tx) error) (wait func() error, err error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	var tx *Tx
	wait, err = commit(ctx, func(t kv.Txn) error {
		tx = db.newTx(ctx, withTail(t, db.tails.current()))
		if err := fn(tx); err != nil {
			return err
		}
		return tx.finish()
	})
	if tx != nil && tx.calls != nil {
		db.keepBatch(tx.calls)
	}
	if err != nil {
		return nil, err
	}
	if tx.newTail != nil {
		db.tails.publish(tx.newTail)
	}
	if len(tx.published) == 0 && !tx.changed {
		return wait, nil
	}
	if err := wait(); err != nil {
		return nil, err
	}
	for _, publish := range tx.published {
		publish()
	}
	if tx.changed {
		db.payers.Store(&payers{})
	}
	return func() error { return nil }, nil
}

type principalKey struct{}

// As returns a context whose changes the audit trail records as made by who.
func As(ctx context.Context, who string) context.Context {
	return context.WithValue(ctx, principalKey{}, who)
}

// Principal returns who acts in ctx, "" when nobody is named.
func Principal(ctx context.Context) string {
	who, _ := ctx.Value(principalKey{}).(string)
	return who
}

// zone loads a time zone once; an unknown name is UTC.
func (db *DB) zone(name string) *time.Location {
	if loc, ok := db.zones.Load(name); ok {
		return loc.(*time.Location)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		loc = time.UTC
	}
	db.zones.Store(name, loc)
	return loc
}

func (db *DB) loadSettings(ctx context.Context) error {
	return db.View(ctx, func(tx *Tx) error {
		var s rating.Settings
		if err := tx.getJSON(bSetting, "settings", &s); err != nil {
			return err
		}
		db.settings.Store(&s)
		var sp []byte
		if err := tx.getJSON(bMeta, "spaces", &sp); err != nil {
			return err
		}
		if len(sp) != 12 {
			return rating.Errorf(rating.Internal, "store", "the store's meta record is damaged")
		}
		if err := db.loadGuard(tx); err != nil {
			return err
		}
		copy(db.space.Rate[:], sp[:6])
		db.cdrSpace.Store((*[6]byte)(sp[6:]))
		return nil
	})
}

func (tx *Tx) putMeta(key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return tx.Txn.Put(bMeta, []byte(key), b)
}

func (tx *Tx) getJSON(b kv.Bucket, key string, v any) error {
	raw := tx.Txn.Get(b, []byte(key))
	if raw == nil {
		return rating.Errorf(rating.NotFound, key, "the store has no %s", key)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// SaveSettings stores s and puts it in force at commit.
func (tx *Tx) SaveSettings(s *rating.Settings) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	old := tx.Txn.Get(bSetting, []byte("settings"))
	if err := tx.Txn.Put(bSetting, []byte("settings"), b); err != nil {
		return err
	}
	kept := *s
	tx.published = append(tx.published, func() { tx.db.settings.Store(&kept) })
	return tx.record("setting", 0, jsonRow(old), b)
}
