// Package defect breaks the reference server on purpose, so that a harness can show
// that it notices.
//
// The one idea: a defect is a value, and it is built in from outside. It changes
// settings, or goes around the store, the cache or the handler of a server
// (server.Around). The clean server has no code for any of it.
//
// A defect is something that services have had, and as small as it can be. Where the
// reference server would hide it (it refuses a cached entry that it knows to be old,
// however that came about), the defect takes that protection away as well, and says
// so in Does.
//
// What is not done here: nothing is ever cleaned up. A defect that leaks leaks until
// the process ends. Nobody serves flags to anybody with this.
package defect

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"brownout/server"
)

// Variable is the variable of the environment that names defects, for a server that
// others start.
const Variable = "BROWNOUT_DEFECT"

// Header is the field of every answer of a server with defects, which it names.
const Header = "Brownout-Defect"

// A Defect is something that is wrong with a server.
type Defect struct {
	Name  string
	Does  string // in one sentence
	build change
}

// A change builds a defect into the configuration of a server.
type change func(*server.Config)

// All lists the defects.
func All() []Defect {
	return slices.Concat(clients(), breakers(), fallbacks(), caches(), stores(), answers(), leaks())
}

// Parse finds the defects of a list of names, joined by commas. "" is none.
func Parse(names string) ([]Defect, error) {
	if names == "" {
		return nil, nil
	}
	all := All()
	var found []Defect
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(all, func(d Defect) bool { return d.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no defect %q, want %s", name, strings.Join(nameAll(all), ", "))
		}
		found = append(found, all[i])
	}
	return found, nil
}

// Build returns cfg with the defects in it. The server says so in each answer and,
// here, in its log.
func Build(cfg server.Config, defects []Defect) server.Config {
	if len(defects) == 0 {
		return cfg
	}
	for _, d := range defects {
		d.build(&cfg)
		if cfg.Log != nil {
			cfg.Log.Warn("THIS SERVER IS BROKEN ON PURPOSE", slog.String("defect", d.Name), slog.String("does", d.Does))
		}
	}
	label := strings.Join(nameAll(defects), ",")
	aroundHandler(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(Header, label)
			next.ServeHTTP(w, r)
		})
	})(&cfg)
	return cfg
}

func nameAll(defects []Defect) []string {
	var names []string
	for _, d := range defects {
		names = append(names, d.Name)
	}
	return names
}

// together makes several changes one.
func together(changes ...change) change {
	return func(c *server.Config) {
		for _, build := range changes {
			build(c)
		}
	}
}
