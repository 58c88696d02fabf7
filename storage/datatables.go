package storage

import (
	"strings"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// DataSubscription says whose a RADIUS user name is, on which data plan, from when till when. Subscriptions
// of one name never overlap.
type DataSubscription struct {
	ID        uint64           `json:"id"`
	Account   rating.AccountID `json:"account"`
	Plan      uint64           `json:"plan"`
	User      string           `json:"user"`
	Service   uint64           `json:"service,omitempty"` // the Yeti service that its charges are shown under, 0 for none
	From      time.Time        `json:"from"`
	Till      time.Time        `json:"till,omitzero"` // exclusive; zero: until somebody ends it
	CreatedAt time.Time        `json:"created_at"`
}

// Holds reports whether usage of an instant is the subscription's.
func (s *DataSubscription) Holds(t time.Time) bool {
	return !t.Before(s.From) && (s.Till.IsZero() || t.Before(s.Till))
}

// DataSession is one session of a user on a source, or as much as its records told so far.
type DataSession struct {
	ID        uint64               `json:"id"`
	Source    string               `json:"source"`
	Session   string               `json:"session"`
	User      string               `json:"user"`
	StartAt   time.Time            `json:"start_at"` // as its first record makes it out
	LastAt    time.Time            `json:"last_at"`
	StoppedAt time.Time            `json:"stopped_at,omitzero"` // zero: open
	Cause     string               `json:"cause,omitempty"`     // why it stopped
	Seconds   uint32               `json:"seconds"`
	Address   string               `json:"address,omitempty"`
	Calling   string               `json:"calling,omitempty"`
	Called    string               `json:"called,omitempty"`
	Used      rating.Octets        `json:"used"` // the sum of what its records added
	Records   uint64               `json:"records"`
	Resets    uint64               `json:"resets,omitempty"`
	Dropped   bool                 `json:"dropped,omitempty"` // older points than those kept were dropped
	Points    rating.SessionPoints `json:"points"`
}

// Open reports whether the session goes on as far as is known.
func (s *DataSession) Open() bool { return s.StoppedAt.IsZero() }

// DataSource is a NAS that said that it began anew.
type DataSource struct {
	ID        uint64    `json:"id"`
	Name      string    `json:"name"`
	RestartAt time.Time `json:"restart_at"` // its latest Accounting-On or -Off
	Restarts  uint64    `json:"restarts"`
}

// HeldData is a record of a session that waits for an answer.
type HeldData struct {
	ID     uint64            `json:"id"`
	Reason string            `json:"reason"`
	Detail string            `json:"detail"`
	At     time.Time         `json:"at"` // when it came first
	Times  uint64            `json:"times"`
	Key    string            `json:"key"`
	Record rating.DataRecord `json:"record"`
}

type dataTables struct {
	dataPlans         kv.Table[rating.DataPlan]
	dataSubscriptions kv.Table[DataSubscription]
	dataSessions      kv.Table[DataSession]
	dataSources       kv.Table[DataSource]
	heldData          kv.Table[HeldData]
}

// DataRows are the tables of broadband data. Usage by day and period has keys of its own: dataDay.
type DataRows struct {
	DataPlans         Rows[rating.DataPlan]
	DataSubscriptions Rows[DataSubscription]
	DataSessions      Rows[DataSession]
	DataSources       Rows[DataSource]
	HeldData          Rows[HeldData]
}

func newDataTables() dataTables {
	t := dataTables{
		dataPlans:         jsonTable("data plan", bDataPlan, func(v *rating.DataPlan) *uint64 { return &v.ID }),
		dataSubscriptions: jsonTable("data subscription", bDataSubscription, func(v *DataSubscription) *uint64 { return &v.ID }),
		dataSessions: kv.Table[DataSession]{Name: "data session", Bucket: bDataSession, ID: func(v *DataSession) *uint64 { return &v.ID },
			Encode: func(dst []byte, v *DataSession) ([]byte, error) { return appendDataSession(dst, v), nil }, Decode: decodeDataSession},
		dataSources: jsonTable("data source", bDataSource, func(v *DataSource) *uint64 { return &v.ID }),
		heldData:    jsonTable("held data record", bDataHeld, func(v *HeldData) *uint64 { return &v.ID }),
	}
	t.dataSources.Audit, t.heldData.Audit = false, false // records of what came in; sessions have no trail either
	t.dataPlans.Unique = []kv.Unique[rating.DataPlan]{{Bucket: bDataPlanName, Field: "name", Key: func(v *rating.DataPlan) []byte { return textKey(strings.ToLower(v.Name)) }}}
	t.dataSubscriptions.Index = []kv.Index[DataSubscription]{
		{Bucket: bDataSubscriptionUser, Keys: func(v *DataSubscription) [][]byte { return one(textKey(v.User)) }},
		{Bucket: bDataSubscriptionAccount, Keys: func(v *DataSubscription) [][]byte { return one(kv.Key(nil).U64(uint64(v.Account))) }},
	}
	t.dataSessions.Index = []kv.Index[DataSession]{
		{Bucket: bDataSessionKey, Keys: func(v *DataSession) [][]byte {
			return one(sessionKey(v.Source, v.Session, v.User).Milli(v.StartAt))
		}},
		{Bucket: bDataSessionUser, Keys: func(v *DataSession) [][]byte { return one(kv.Key(nil).Text(v.User).Milli(v.StartAt)) }},
		{Bucket: bDataSessionOpen, Keys: func(v *DataSession) [][]byte {
			if !v.Open() {
				return nil
			}
			return one(kv.Key(nil).Text(v.Source))
		}},
	}
	t.dataSources.Unique = []kv.Unique[DataSource]{{Bucket: bDataSourceName, Field: "name", Key: func(v *DataSource) []byte { return textKey(v.Name) }}}
	t.heldData.Unique = []kv.Unique[HeldData]{{Bucket: bDataHeldKey, Field: "key", Key: func(v *HeldData) []byte { return textKey(v.Key) }}}
	return t
}

func bindData(tx *Tx) DataRows {
	return DataRows{DataPlans: bind(tx, &schema.dataPlans), DataSubscriptions: bind(tx, &schema.dataSubscriptions), DataSessions: bind(tx, &schema.dataSessions),
		DataSources: bind(tx, &schema.dataSources), HeldData: bind(tx, &schema.heldData)}
}

// sessionKey begins the keys of what a source calls by one session number and user.
func sessionKey(source, session, user string) kv.Key {
	return kv.Key(nil).Text(source).Text(session).Text(user)
}
