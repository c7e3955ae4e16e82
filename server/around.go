package server

import (
	"net/http"

	"brownout/server/feature"
)

// Around is what is put around the parts of a server from outside: something that
// watches them, or that breaks them on purpose (package defect). What is nil puts
// nothing around its part. A cache that has work of its own (feature.Runner) must
// have it from the outside, too, or it is not done.
type Around struct {
	Store   func(feature.Store) feature.Store // is called before Cache
	Cache   func(feature.Cache) feature.Cache
	Handler func(http.Handler) http.Handler
}

func (a Around) store(s feature.Store) feature.Store { return around(a.Store, s) }

func (a Around) cache(c feature.Cache) feature.Cache { return around(a.Cache, c) }

func (a Around) handler(h http.Handler) http.Handler { return around(a.Handler, h) }

func around[T any](wrap func(T) T, part T) T {
	if wrap == nil {
		return part
	}
	return wrap(part)
}
