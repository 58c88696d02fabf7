package server

import (
	"fmt"
	"io"

	"billd/server/ops"
	"billd/server/radius"

	"github.com/prometheus/client_golang/prometheus"
)

// listenRadius takes the addresses for RADIUS, if there are any, and counts in the metrics.
func (s *Server) listenRadius() (err error) {
	s.env.Senders = ops.NewSenders()
	s.radius, err = radius.Listen(radius.Options{Env: s.env, Accounting: s.o.RadiusAccounting, Access: s.o.RadiusAccess, Log: s.o.Log})
	if err == nil {
		s.metrics.registry.MustRegister(radiusMetrics{s.radius})
	}
	return err
}

// greetRadius prints where RADIUS is answered.
func (s *Server) greetRadius(w io.Writer) {
	for _, k := range s.radius.Sockets() {
		fmt.Fprintf(w, "  RADIUS %s %s/udp\n", k.Name, k.Addr())
	}
}

// radiusMetrics reads the sockets' own counts when asked.
type radiusMetrics struct{ server *radius.Server }

var (
	radiusPackets = prometheus.NewDesc("billd_radius_packets_total", "RADIUS packets since the start, by what became of them: answered and repeated were answered, all others dropped.", []string{"socket", "outcome"}, nil)
	radiusBytes   = prometheus.NewDesc("billd_radius_received_bytes_total", "Bytes of RADIUS packets since the start.", []string{"socket"}, nil)
)

// Describe names the metrics.
func (m radiusMetrics) Describe(ch chan<- *prometheus.Desc) { ch <- radiusPackets; ch <- radiusBytes }

// Collect reads them.
func (m radiusMetrics) Collect(ch chan<- prometheus.Metric) {
	for _, k := range m.server.Sockets() {
		for _, o := range radius.Outcomes() {
			ch <- prometheus.MustNewConstMetric(radiusPackets, prometheus.CounterValue, float64(k.Count(o)), k.Name, o.String())
		}
		ch <- prometheus.MustNewConstMetric(radiusBytes, prometheus.CounterValue, float64(k.Bytes()), k.Name)
	}
}
