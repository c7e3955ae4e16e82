package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brownout/server/feature"
	"brownout/server/pgstore"
	"brownout/server/servertest"

	"github.com/jackc/pgx/v5"
)

// shared is the server of this package's tests; each test has a database of its own.
var shared *servertest.Postgres

func TestMain(m *testing.M) { os.Exit(withPostgres(m)) }

func withPostgres(m *testing.M) (code int) {
	var err error
	if shared, err = servertest.NewPostgres(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := shared.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	if err := shared.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

var databases atomic.Int32

// newDatabase makes an empty database and returns its URL.
func newDatabase(t testing.TB) string {
	t.Helper()
	name := fmt.Sprint("test", databases.Add(1))
	execute(t, shared.URL(), "CREATE DATABASE "+name)
	return strings.Replace(shared.URL(), "/postgres?", "/"+name+"?", 1)
}

func execute(t testing.TB, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// complaints counts the lines of log that are more than information.
type complaints struct {
	slog.Handler // not set: nothing else is called
	n            *atomic.Int32
}

func (c complaints) Enabled(context.Context, slog.Level) bool { return true }

func (c complaints) Handle(_ context.Context, r slog.Record) error {
	if r.Level > slog.LevelInfo {
		c.n.Add(1)
	}
	return nil
}

func newStore(t testing.TB, url string) *pgstore.Store {
	t.Helper()
	return newLoggingStore(t, url, nil)
}

func newLoggingStore(t testing.TB, url string, log *slog.Logger) *pgstore.Store {
	t.Helper()
	s, err := pgstore.New(pgstore.Config{URL: url, Timeout: 5 * time.Second, ConnectTimeout: 5 * time.Second, PoolSize: 5, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs s until the test ends.
func run(t testing.TB, s *pgstore.Store) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run() = %v, want nil", err)
		}
	})
}

// open runs a store on an empty database and waits until it is ready.
func open(t testing.TB) *pgstore.Store {
	s := newStore(t, newDatabase(t))
	run(t, s)
	waitReady(t, s)
	return s
}

func waitReady(t testing.TB, s *pgstore.Store) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		err := s.Ready(t.Context())
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the store is not ready: %v", err)
		}
	}
}

func TestPostgreSQLIsAStore(t *testing.T) {
	servertest.TestStore(t, func(t *testing.T) feature.Store { return open(t) })
}

func TestPostgreSQLKeepsTheLimitOfFlags(t *testing.T) {
	s, err := pgstore.New(pgstore.Config{
		URL: newDatabase(t), Timeout: 5 * time.Second, ConnectTimeout: 5 * time.Second, PoolSize: 5, FlagLimit: servertest.LimitOfTest,
	})
	if err != nil {
		t.Fatal(err)
	}
	run(t, s)
	waitReady(t, s)
	servertest.TestLimit(t, s)
}

func TestBeforeRunTheStoreIsUnavailable(t *testing.T) {
	s := newStore(t, shared.URL())
	_, err := s.Snapshot(t.Context(), "e")
	if !errors.Is(err, feature.ErrUnavailable) || errors.Is(err, feature.ErrUnknownOutcome) {
		t.Errorf("Snapshot before Run = %v, want ErrUnavailable", err)
	}
	if _, err := s.Put(t.Context(), "e", "f", feature.Draft{}); !errors.Is(err, feature.ErrUnavailable) || errors.Is(err, feature.ErrUnknownOutcome) {
		t.Errorf("Put before Run = %v, want ErrUnavailable and a known outcome", err)
	}
	if err := s.Ready(t.Context()); !errors.Is(err, feature.ErrUnavailable) {
		t.Errorf("Ready before Run = %v, want ErrUnavailable", err)
	}
}

func TestManyInstancesSetUpTheSchemaAtOnce(t *testing.T) {
	for range 5 { // a race, so more than once
		url := newDatabase(t)
		var g sync.WaitGroup
		var failed atomic.Int32
		for range 8 {
			s := newLoggingStore(t, url, slog.New(complaints{n: &failed}))
			run(t, s)
			g.Go(func() {
				waitReady(t, s)
				if _, err := s.Put(t.Context(), "e", "f", feature.Draft{}); err != nil {
					t.Errorf("Put: %v", err)
				}
			})
		}
		g.Wait()
		if n := failed.Load(); n > 0 {
			t.Errorf("%d instances failed to set up the schema at first, want none: they wait for each other", n)
		}
	}
}

func TestAWrongURLIsRefusedWithoutBeingShown(t *testing.T) {
	for _, url := range []string{"postgres://u:hunter2@host:port/x", "hunter2", "postgres://u:hunter2@h/db?sslmode=nonsense"} {
		_, err := pgstore.New(pgstore.Config{URL: url, Timeout: 1, ConnectTimeout: 1, PoolSize: 1})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("New(%q) = %v, want an error without the password", url, err)
		}
	}
}

func TestAWriteThatWaitsTooLongHasAnUnknownOutcomeOrNone(t *testing.T) {
	url := newDatabase(t)
	s, err := pgstore.New(pgstore.Config{URL: url, Timeout: 100 * time.Millisecond, ConnectTimeout: 5 * time.Second, PoolSize: 2})
	if err != nil {
		t.Fatal(err)
	}
	run(t, s)
	waitReady(t, s)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE environments IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	// Whether the server or the client gives up first is open; both are a timeout.
	if _, err := s.Put(t.Context(), "e", "f", feature.Draft{}); !errors.Is(err, feature.ErrUnavailable) {
		t.Errorf("Put on a locked table = %v, want ErrUnavailable", err)
	}
	if _, err := conn.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	waitReady(t, s)
	if got, err := s.Snapshot(t.Context(), "e"); err != nil || got.Revision != 0 {
		t.Errorf("after the lock: Snapshot = %+v, %v, want revision 0: the statement was given up", got, err)
	}
}

func TestASchemaThatIsGoneMakesTheStoreUnavailable(t *testing.T) {
	url := newDatabase(t)
	s := newStore(t, url)
	run(t, s)
	waitReady(t, s)
	execute(t, url, "DROP TABLE flags")
	if err := s.Ready(t.Context()); !errors.Is(err, feature.ErrUnavailable) {
		t.Errorf("Ready without a table = %v, want ErrUnavailable", err)
	}
}
