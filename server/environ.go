package server

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"brownout/server/cache"
	"brownout/server/feature"
)

// FromEnviron reads the settings through lookup (os.LookupEnv). A variable that is
// empty counts as not set. All that is wrong is reported together, one line each.
func FromEnviron(lookup func(string) (string, bool)) (Config, error) {
	get := func(name string) (string, bool) {
		value, found := lookup(name)
		return value, found && value != ""
	}
	var errs []error
	p := Profiles()[0]
	if name, set := get("PROFILE"); set {
		found, err := FindProfile(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("PROFILE: %w", err))
		} else {
			p = found
		}
	}
	c := DefaultConfig(p)
	if _, set := get("REDIS_URL"); set {
		c.Backend = BackendRedis
	}
	for _, v := range variables() {
		if value, set := get(v.name); set {
			errs = append(errs, v.wrong(value, v.read(&c, value)))
		}
	}
	errs = append(errs, c.complete())
	return c, errors.Join(errs...)
}

// wrong says what is wrong with the value of v, without the value if it is secret.
func (v variable) wrong(value string, err error) error {
	switch {
	case err == nil:
		return nil
	case v.secret:
		return fmt.Errorf("%s: %w", v.name, err)
	}
	return fmt.Errorf("%s is %q, want %w", v.name, value, err)
}

// complete checks what needs more than one setting.
func (c Config) complete() error {
	_, _, err1 := c.store()
	_, err2 := c.cache()
	return errors.Join(err1, err2, c.check())
}

func text(name, doc string, at func(*Config) *string) variable {
	return variable{
		name: name, doc: doc,
		read: func(c *Config, value string) error { *at(c) = value; return nil },
		show: func(c Config) string { return *at(&c) },
	}
}

func secret(name, doc string, at func(*Config) *string) variable {
	v := text(name, doc, at)
	v.secret = true
	return v
}

// within is a duration above zero.
func within(name, doc string, at func(*Config) *time.Duration) variable {
	return variable{
		name: name, doc: doc,
		read: func(c *Config, value string) error {
			d, err := time.ParseDuration(value)
			if err != nil || d <= 0 {
				return errors.New("a duration above zero, as 50ms or 2s")
			}
			*at(c) = d
			return nil
		},
		show: func(c Config) string { return at(&c).String() },
	}
}

// orNone is a duration above zero, or the word none.
func orNone(name, doc string, at func(*Config) *time.Duration) variable {
	limited := within(name, doc+"; none: as long as it takes", at)
	return variable{
		name: name, doc: limited.doc,
		read: func(c *Config, value string) error {
			if value == "none" {
				*at(c) = none
				return nil
			}
			if err := limited.read(c, value); err != nil {
				return fmt.Errorf("none, or %w", err)
			}
			return nil
		},
		show: func(c Config) string {
			if *at(&c) < 0 {
				return "none"
			}
			return limited.show(c)
		},
	}
}

func atLeast(least int, name, doc string, at func(*Config) *int) variable {
	return variable{
		name: name, doc: doc,
		read: func(c *Config, value string) error {
			n, err := strconv.Atoi(value)
			if err != nil || n < least || n > 1<<30 {
				return fmt.Errorf("a whole number from %d to %d", least, 1<<30)
			}
			*at(c) = n
			return nil
		},
		show: func(c Config) string { return strconv.Itoa(*at(&c)) },
	}
}

func yesNo(name, doc string, at func(*Config) *bool) variable {
	return variable{
		name: name, doc: doc,
		read: func(c *Config, value string) error {
			b, err := strconv.ParseBool(value)
			if err != nil {
				return errors.New("true or false")
			}
			*at(c) = b
			return nil
		},
		show: func(c Config) string { return strconv.FormatBool(*at(&c)) },
	}
}

func readBackend(c *Config, value string) error {
	if !slices.Contains(cache.Backends(), value) {
		return errors.New(strings.Join(cache.Backends(), ", "))
	}
	c.Backend = value
	return nil
}

// percent is a share, up to most.
func percent(most int, name, doc string, at func(*Config) *int) variable {
	v := atLeast(0, name, doc, at)
	v.read = func(c *Config, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > most {
			return fmt.Errorf("a whole number from 0 to %d", most)
		}
		*at(c) = n
		return nil
	}
	return v
}

// zeroOr is a duration, 0 for none.
func zeroOr(name, doc string, at func(*Config) *time.Duration) variable {
	limited := within(name, doc, at)
	read := limited.read
	limited.read = func(c *Config, value string) error {
		if value == "0" || value == "0s" {
			*at(c) = 0
			return nil
		}
		if err := read(c, value); err != nil {
			return fmt.Errorf("0, or %w", err)
		}
		return nil
	}
	return limited
}

// readWarm takes environments, joined by commas.
func readWarm(c *Config, value string) error {
	c.Warm = nil
	for name := range strings.SplitSeq(value, ",") {
		if err := feature.CheckName("an environment", name); err != nil {
			return fmt.Errorf("environments joined by commas: %w", err)
		}
		c.Warm = append(c.Warm, name)
	}
	return nil
}

func readOFREPEnvironment(c *Config, value string) error {
	if err := feature.CheckName("an environment", value); err != nil {
		return fmt.Errorf("an environment: %w", err)
	}
	c.OFREPEnvironment = value
	return nil
}

func readLogLevel(c *Config, value string) error {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	level, known := levels[value]
	if !known {
		return errors.New("debug, info, warn or error")
	}
	c.LogLevel = level
	return nil
}

func readTTL(c *Config, value string) error {
	d, err := time.ParseDuration(value)
	if err != nil || d < time.Second || d%time.Second != 0 {
		return errors.New("whole seconds, as 300s or 5m")
	}
	c.CacheTTL = d
	return nil
}

// seconds is how people write a number of seconds.
func seconds(d time.Duration) string { return strconv.Itoa(int(d/time.Second)) + "s" }
