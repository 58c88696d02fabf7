package server

import (
	"context"
	"strconv"
	"sync/atomic"
	"time"

	"billd/rating"
	"billd/storage"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what /metrics shows. Labels are route patterns and statuses, never accounts or paths.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	last     atomic.Pointer[answered]
}

func newMetrics(s *Server) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "billd_http_requests_total", Help: "Requests answered, by route and status."}, []string{"method", "route", "status"}),
		seconds:  prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "billd_http_request_seconds", Help: "Time to answer, by route.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14)}, []string{"route"}),
	}
	gauge := func(name, help string, value func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	m.registry.MustRegister(m.requests, m.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	gauge("billd_calls_waiting", "Calls in the ingest queue.", func() float64 { return float64(s.queue.Waiting()) })
	gauge("billd_http_connections", "Connections to the HTTP address.", func() float64 { n, _ := s.gate.counts(); return float64(n) })
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "billd_http_connections_turned_out_total",
		Help: "Connections that sent no request for longest and were closed to make room."}, func() float64 { _, n := s.gate.counts(); return float64(n) }))
	gauge("billd_store_bytes", "Size of the store's file.", func() float64 { return float64(s.db.Stats().FileSize) })
	gauge("billd_store_free_bytes", "Of it, pages that hold nothing.", func() float64 { return float64(s.db.Stats().FreeSize) })
	gauge("billd_journal_bytes", "Stored durably in the journal, on its way to the store's file.", func() float64 { return float64(s.db.Stats().JournalSize) })
	gauge("billd_journal_failing", "1 while the store's file cannot be brought up to date.", func() float64 {
		if s.db.Stats().JournalFault != nil {
			return 1
		}
		return 0
	})
	gauge("billd_reservations_open", "Calls that are authorised and not charged yet.", func() (n float64) {
		if err := s.db.View(context.Background(), func(tx *storage.Tx) error { n = float64(tx.OpenReservations()); return nil }); err != nil {
			return -1
		}
		return n
	})
	gauge("billd_guard_blocked_accounts", "Accounts that the fraud guard blocks.", func() (n float64) {
		if err := s.db.View(context.Background(), func(tx *storage.Tx) error { n = float64(tx.BlockedAccounts()); return nil }); err != nil {
			return -1
		}
		return n
	})
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "billd_guard_alarms_total", Help: "Alarms that the fraud guard raised since the start."},
		func() float64 { return float64(s.db.GuardAlarmsRaised()) }))
	gauge("billd_rates", "Rates in memory.", func() float64 { n, _ := s.db.Catalog().Rates(); return float64(n) })
	gauge("billd_rates_bytes", "Memory that rates take.", func() float64 { _, n := s.db.Catalog().Rates(); return float64(n) })
	m.registry.MustRegister(callMetrics{s.db}, outboxMetrics{s.db})
	return m
}

// callMetrics reads the ingest queue's own counts when asked.
type callMetrics struct{ db *storage.DB }

var (
	callsTotal   = prometheus.NewDesc("billd_calls_total", "Calls taken in since the start, by what became of them.", []string{"outcome"}, nil)
	commitsTotal = prometheus.NewDesc("billd_store_commits_total", "Commits since the start.", nil, nil)
)

// outboxMetrics counts the messages of the outbox when asked.
type outboxMetrics struct{ db *storage.DB }

var outboxMessages = prometheus.NewDesc("billd_outbox_messages", "Messages in the outbox, by what became of them. Failed ones want an operator.", []string{"state"}, nil)

// Describe names the metric.
func (c outboxMetrics) Describe(ch chan<- *prometheus.Desc) { ch <- outboxMessages }

// Collect reads it.
func (c outboxMetrics) Collect(ch chan<- prometheus.Metric) {
	err := c.db.View(context.Background(), func(tx *storage.Tx) error {
		counts := tx.MessageCounts()
		for _, state := range storage.MessageStates() {
			ch <- prometheus.MustNewConstMetric(outboxMessages, prometheus.GaugeValue, float64(counts[state]), state.String())
		}
		return nil
	})
	if err != nil {
		ch <- prometheus.NewInvalidMetric(outboxMessages, err)
	}
}

// Describe names the metrics.
func (c callMetrics) Describe(ch chan<- *prometheus.Desc) { ch <- callsTotal; ch <- commitsTotal }

// Collect reads them.
func (c callMetrics) Collect(ch chan<- prometheus.Metric) {
	counts := c.db.Outcomes()
	for o, n := range counts {
		ch <- prometheus.MustNewConstMetric(callsTotal, prometheus.CounterValue, float64(n), rating.Outcome(o).String())
	}
	ch <- prometheus.MustNewConstMetric(commitsTotal, prometheus.CounterValue, float64(c.db.Stats().Commits))
}

// answered are the metrics of one route and status.
type answered struct {
	method  string
	route   *fiber.Route
	status  int
	count   prometheus.Counter
	seconds prometheus.Observer
}

func (m *metrics) request(c *fiber.Ctx, took time.Duration) {
	route, status := c.Route(), c.Response().StatusCode()
	last := m.last.Load() // most requests are like the one before
	method := c.Method()
	if last == nil || last.route != route || last.status != status || last.method != method {
		last = &answered{method, route, status, m.requests.WithLabelValues(method, route.Path, strconv.Itoa(status)), m.seconds.WithLabelValues(route.Path)}
		m.last.Store(last)
	}
	last.count.Inc()
	last.seconds.Observe(took.Seconds())
}

// handle answers in Prometheus' text format.
func (m *metrics) handle(c *fiber.Ctx) error {
	return adaptor.HTTPHandler(promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))(c)
}
