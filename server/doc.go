// Package server runs billd: it opens the store, starts the ingest queue and the background jobs,
// mounts every REST surface on one fiber app, answers commands on the unix socket, and stops in
// order.
//
// Each surface is a sub-app with its own error handler; none of them knows another. The server itself
// owns what belongs to no dialect: limits and timeouts, /healthz, /readyz, /metrics, jobs.
package server
