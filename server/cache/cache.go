// Package cache holds the backends behind feature.Cache, one file each.
//
// A backend stores bytes and forgets them after a time. It decides nothing: when
// to ask, what to do when it fails and whether an answer may be believed stands
// in package server. None of them starts a goroutine when it is made; go-redis
// starts one for each dial, which ends with the dial.
package cache
