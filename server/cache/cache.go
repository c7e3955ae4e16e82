// Package cache holds the backends behind feature.Cache: none, memory, redis and
// tiered. A backend is one file, and one line of the table in backend.go.
//
// The one idea: a backend stores bytes and forgets them after a time. It decides
// nothing about them: when to ask, what to do when it fails and whether an answer
// may be believed stands in package server.
//
// What every backend that keeps something promises:
//
//   - Time to live. An entry is never returned when its time to live has passed
//     since the Set that made it (Redis' clock counts milliseconds). With jitter it
//     dies earlier, by at most that share. A copy does not outlive the entry.
//   - Invalidation. When Delete has returned nil, no Get that begins later on this
//     instance returns what was there, whatever fills were under way here. Other
//     instances that share the entries (redis, tiered) do not either, at the latest
//     after Settings.Staleness; with redis at once. memory is shared with nobody.
//   - A failed Delete promises nothing, and must be repeated until it succeeds.
//   - Loss. Any entry may be gone at any moment.
//
// What none of them promises: a Set that another instance began before a Delete and
// ends after it puts the old entry back. Who calls Set has to look at revisions, as
// package server does for what it knows itself.
//
// New... starts nothing. What goes on by itself (probes of a Redis that is away, the
// subscription of the tiered cache) is done by Run, see feature.Runner, and ends with
// it. go-redis starts a goroutine for each dial, which ends with the dial; for
// Sentinel one that listens to a Sentinel, which ends with Close; for a cluster one
// that asks who serves what, which ends by itself.
package cache
