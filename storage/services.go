package storage

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"billd/rating"
	"billd/storage/kv"
)

// ServiceClass says what a service does beside costing money. Source: Yeti, contract 3.21.
type ServiceClass string

// The classes. Yeti's third one sets up accounts in another company's product: it is kept, and billed
// like the first.
const (
	LoggingService      ServiceClass = "Logging"
	FreeMinutesService  ServiceClass = "FreeMinutes"
	PhoneSystemsService ServiceClass = "PhoneSystems"
)

// ServiceType is a kind of thing that customers subscribe to.
type ServiceType struct {
	ID         uint64          `json:"id"`
	Name       string          `json:"name"`
	ForceRenew bool            `json:"force_renew,omitempty"` // renewed whatever the balance
	Class      ServiceClass    `json:"class"`
	Variables  json.RawMessage `json:"variables,omitempty"` // a JSON object
}

// ServiceState says whether a service runs.
type ServiceState uint8

// The states. A suspended service is one whose renewal the balance did not allow.
const (
	ServiceActive ServiceState = iota
	ServiceSuspended
)

// String returns Yeti's word.
func (s ServiceState) String() string {
	if s == ServiceSuspended {
		return "Suspended"
	}
	return "Active"
}

// RenewPeriod says how often a service is paid for.
type RenewPeriod uint8

// The periods.
const (
	RenewNever RenewPeriod = iota
	RenewDaily
	RenewMonthly
)

// String returns Yeti's word.
func (p RenewPeriod) String() string { return [...]string{"Disabled", "Day", "Month"}[p%3] }

// next returns the first midnight of a day or month that comes after t in a zone.
func (p RenewPeriod) next(t time.Time, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	if p == RenewMonthly {
		return time.Date(y, m+1, 1, 0, 0, 0, 0, zone).UTC()
	}
	return time.Date(y, m, d+1, 0, 0, 0, 0, zone).UTC()
}

// YetiService is what an account subscribed to. Kazoo's Services is another thing.
type YetiService struct {
	ID           uint64           `json:"id"`
	UUID         rating.UUID      `json:"uuid"`
	Account      rating.AccountID `json:"account"`
	Type         uint64           `json:"type"`
	Name         *string          `json:"name,omitempty"`
	Variables    json.RawMessage  `json:"variables,omitempty"` // a JSON object
	State        ServiceState     `json:"state"`
	InitialPrice rating.Money     `json:"initial_price"`
	RenewPrice   rating.Money     `json:"renew_price"`
	CreatedAt    time.Time        `json:"created_at"`
	Period       RenewPeriod      `json:"period,omitempty"`
	RenewAt      *time.Time       `json:"renew_at,omitempty"` // when the period that is paid for ends
}

type serviceTables struct {
	serviceTypes    kv.Table[ServiceType]
	yetiServices    kv.Table[YetiService]
	packageCounters kv.Table[rating.PackageCounter]
}

// ServiceRows are the tables of what accounts subscribe to.
type ServiceRows struct {
	ServiceTypes    Rows[ServiceType]
	YetiServices    Rows[YetiService]
	PackageCounters Rows[rating.PackageCounter]
}

func newServiceTables() serviceTables {
	t := serviceTables{
		serviceTypes:    jsonTable("service type", bServiceType, func(v *ServiceType) *uint64 { return &v.ID }),
		yetiServices:    jsonTable("service", bYetiService, func(v *YetiService) *uint64 { return &v.ID }),
		packageCounters: jsonTable("package counter", bPackageCounter, func(v *rating.PackageCounter) *uint64 { return &v.ID }),
	}
	t.packageCounters.Audit = false // they count calls
	t.serviceTypes.Unique = []kv.Unique[ServiceType]{{Bucket: bServiceTypeName, Field: "name", Key: func(v *ServiceType) []byte { return textKey(v.Name) }}}
	t.yetiServices.Unique = []kv.Unique[YetiService]{{Bucket: bYetiServiceUUID, Field: "uuid", Key: func(v *YetiService) []byte { return uuidKey(v.UUID) }}}
	t.yetiServices.Index = []kv.Index[YetiService]{
		{Bucket: bYetiServiceAccount, Keys: func(v *YetiService) [][]byte { return one(kv.Key(nil).U64(uint64(v.Account))) }},
		{Bucket: bYetiServiceType, Keys: func(v *YetiService) [][]byte { return one(kv.Key(nil).U64(v.Type)) }},
		{Bucket: bYetiServiceRenew, Keys: func(v *YetiService) [][]byte {
			if v.RenewAt == nil {
				return nil
			}
			return one(kv.Key(nil).Milli(*v.RenewAt))
		}},
	}
	t.packageCounters.Index = []kv.Index[rating.PackageCounter]{{Bucket: bPackageCounterService, Keys: func(v *rating.PackageCounter) [][]byte { return one(kv.Key(nil).U64(v.Service)) }}}
	return t
}

func bindServices(tx *Tx) ServiceRows {
	return ServiceRows{ServiceTypes: bind(tx, &schema.serviceTypes), YetiServices: bind(tx, &schema.yetiServices), PackageCounters: bind(tx, &schema.packageCounters)}
}

// services finds services and counters of accounts and services that are not there.
func (c *checker) services() {
	tx := c.tx
	tx.YetiServices.EachSound(func(s *YetiService) {
		c.refer("service", s.ID, "account", uint64(s.Account), tx.Accounts.Has)
		c.refer("service", s.ID, "service type", s.Type, tx.ServiceTypes.Has)
	})
	tx.PackageCounters.EachSound(func(p *rating.PackageCounter) {
		c.refer("package counter", p.ID, "service", p.Service, tx.YetiServices.Has)
		c.refer("package counter", p.ID, "account", uint64(p.Account), tx.Accounts.Has)
	})
}

// YetiServiceByUUID finds a service.
func (tx *Tx) YetiServiceByUUID(u rating.UUID) (*YetiService, error) {
	return tx.YetiServices.Find(bYetiServiceUUID, uuidKey(u))
}

// YetiServicesOf calls fn with an account's services, oldest first, until it returns false.
func (tx *Tx) YetiServicesOf(id rating.AccountID, fn func(*YetiService) (bool, error)) error {
	return tx.YetiServices.EachUnder(bYetiServiceAccount, kv.Key(nil).U64(uint64(id)), fn)
}

// ServiceTypeUsed reports whether a service is of a type.
func (tx *Tx) ServiceTypeUsed(id uint64) (used bool, err error) {
	err = tx.YetiServices.EachUnder(bYetiServiceType, kv.Key(nil).U64(id), func(*YetiService) (bool, error) {
		used = true
		return false, nil
	})
	return used, err
}

// CreateYetiService stores a new service, charges its initial price and fills its counters.
func (tx *Tx) CreateYetiService(s *YetiService) error {
	a, err := tx.OpenAccount(s.Account)
	if err != nil {
		return err
	}
	s.CreatedAt = tx.now
	if err := tx.YetiServices.Put(s); err != nil {
		return err
	}
	if s.InitialPrice != 0 {
		if _, err := tx.Transact(a, s.InitialPrice, "Service creation", s.ID, serviceRef(s.ID, "creation")); err != nil {
			return err
		}
	}
	return tx.resetCounters(s)
}

// serviceRef names what a service is charged for once.
func serviceRef(id uint64, what string) string {
	return "service " + strconv.FormatUint(id, 10) + " " + what
}

// DueServices returns the services whose paid period is over, those first that have waited longest.
// A suspended one is due when the balance allows its renewal.
func (tx *Tx) DueServices() (due []uint64, err error) {
	end := kv.Key(nil).Milli(tx.now)
	c := tx.Txn.Cursor(bYetiServiceRenew)
	for k, _ := c.First(); k != nil && slices.Compare(k[:8], end) <= 0; k, _ = c.Next() {
		s, err := tx.YetiServices.Get(kv.ID(k))
		if err != nil {
			return nil, err
		}
		a, err := tx.account(s.Account)
		if err != nil {
			return nil, err
		}
		if a.Closed() || s.RenewAt.After(tx.now) {
			continue
		}
		ok := true
		if s.State == ServiceSuspended {
			if ok, err = tx.mayRenew(a, s); err != nil {
				return nil, err
			}
		}
		if ok {
			due = append(due, s.ID)
		}
	}
	return due, nil
}

// mayRenew reports whether an account's limits allow a service's renewal. Source: contract 6.8.
func (tx *Tx) mayRenew(a *rating.Account, s *YetiService) (bool, error) {
	t, err := tx.ServiceTypes.Get(s.Type)
	if err != nil || t.ForceRenew || s.RenewPrice == 0 {
		return err == nil, err
	}
	b, err := tx.AccountBalance(a)
	if err != nil {
		return false, err
	}
	left, err := b.Sub(s.RenewPrice)
	if err != nil {
		return false, err
	}
	if s.RenewPrice > 0 {
		return !a.MinBalance.IsSet() || a.MinBalance.CmpMoney(left) <= 0, nil
	}
	return !a.MaxBalance.IsSet() || a.MaxBalance.CmpMoney(left) >= 0, nil
}

// RenewYetiService renews a service for one period, if its paid one is over, and reports whether it
// did; a service that missed several periods is renewed by as many calls. Each is charged once. When
// the balance does not allow it the service is suspended instead. Periods in which a service was
// suspended, or not made yet, are not charged afterwards.
func (tx *Tx) RenewYetiService(id uint64) (renewed bool, err error) {
	s, err := tx.YetiServices.Get(id)
	if err != nil || s.RenewAt == nil || s.RenewAt.After(tx.now) {
		return false, err
	}
	a, err := tx.account(s.Account)
	if err != nil || a.Closed() {
		return false, err
	}
	ok, err := tx.mayRenew(a, s)
	if err != nil {
		return false, err
	}
	if !ok {
		if s.State == ServiceSuspended {
			return false, nil
		}
		s.State = ServiceSuspended
		return false, tx.YetiServices.Put(s)
	}
	if s.RenewPrice != 0 {
		ref := serviceRef(id, "renewal "+s.RenewAt.UTC().Format(time.RFC3339Nano))
		if _, err := tx.Transact(a, s.RenewPrice, "Renew service", id, ref); err != nil {
			return false, err
		}
	}
	from := *s.RenewAt
	if s.State == ServiceSuspended {
		from = tx.now
	} else if from.Before(s.CreatedAt) {
		from = s.CreatedAt
	}
	next := s.Period.next(from, tx.Location(a))
	s.RenewAt, s.State = &next, ServiceActive
	if err := tx.YetiServices.Put(s); err != nil {
		return false, err
	}
	return true, tx.resetCounters(s)
}
