package resp

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brownout/chaos"
	"brownout/chaos/stack"
)

// A state is a real Redis that refuses commands as an answer says it.
type state struct {
	kind  chaos.Kind
	args  []string // of the server
	calm  []string // commands before, for a server that refuses nothing yet
	await string   // that server is ready when CLUSTER INFO contains it
	setup []string // commands that bring it into the state, over a connection of their own
	keys  int      // the server begins with so many: loading them takes longer than a test
	text  string   // what it refuses with
}

var states = []state{
	{kind: chaos.Readonly, setup: []string{"REPLICAOF 127.0.0.1 1"}, text: readonlyText},
	{kind: chaos.OOM, setup: []string{"CONFIG SET maxmemory 1"}, text: oomText},
	{
		kind: chaos.MasterDown, args: []string{"--replica-serve-stale-data", "no", "--replica-read-only", "no"},
		setup: []string{"REPLICAOF 127.0.0.1 1"}, text: masterText,
	},
	{kind: chaos.NoAuth, setup: []string{"CONFIG SET requirepass secret"}, text: noAuthText},
	{
		kind: chaos.ClusterDown, args: []string{"--cluster-enabled", "yes"},
		calm: []string{"CLUSTER ADDSLOTSRANGE 0 16383"}, await: "cluster_state:ok",
		setup: []string{"CLUSTER DELSLOTS 16383"}, text: clusterText,
	},
	{
		kind: chaos.Loading, keys: 30_000, text: loadingText,
		args: []string{"--key-load-delay", "3000", "--loading-process-events-interval-bytes", "1024"},
	},
}

// servers counts the real servers of this process, for addresses of their own.
var servers atomic.Int64

// start brings a real server into the state and returns its address.
func (s state) start(t *testing.T) string {
	t.Helper()
	addr := s.startCalm(t)
	s.enter(t, addr)
	return addr
}

// startCalm starts a server that is not in the state yet, but when it loads.
func (s state) startCalm(t *testing.T) string {
	t.Helper()
	server, err := stack.Find(t.Context(), stack.Redis)
	if err != nil {
		t.Fatal(err)
	}
	skipUnlessOfTheTable(t, server.Kind, server.Version)
	dir := t.TempDir()
	if s.keys > 0 {
		addr, stop := launch(t, server, dir, nil)
		fill(t, addr, s.keys)
		stop()
	}
	addr, _ := launch(t, server, dir, s.args)
	c := dialRedis(t, addr)
	for _, command := range s.calm {
		c.must(command)
	}
	for s.await != "" && !strings.Contains(c.ask("CLUSTER INFO"), s.await) {
		time.Sleep(time.Millisecond) // the deadline of c ends this
	}
	return addr
}

// enter brings the server at addr into the state.
func (s state) enter(t *testing.T, addr string) {
	t.Helper()
	c := dialRedis(t, addr)
	for _, command := range s.setup {
		c.must(command)
	}
}

// launch starts a server in dir on an address of its own, and waits until it
// answers.
func launch(t *testing.T, server stack.Server, dir string, args []string) (addr string, stop func()) {
	t.Helper()
	pid := os.Getpid()
	host := fmt.Sprintf("127.%d.%d.%d", 10+pid>>16&0x7f, pid>>8&0xff, 1+servers.Add(1)&0x7f)
	port := strconv.Itoa(20_000 + pid&0xff)
	addr = net.JoinHostPort(host, port)
	spawner := stack.NewSpawner()
	_, err := spawner.Start(t.Context(), stack.Command{
		Name: "oracle", Path: server.Path, Env: append(os.Environ(), server.Env...), Dir: dir,
		Args: append([]string{"--bind", host, "--port", port, "--save", "", "--rdbcompression", "no"}, args...),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(spawner.Close)
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
			return addr, spawner.Close
		}
		if time.Since(start) > hang {
			t.Fatalf("no server at %s: %v", addr, err)
		}
	}
}

// fill puts keys into a server and has it write them to disk.
func fill(t *testing.T, addr string, keys int) {
	t.Helper()
	var b strings.Builder
	value := strings.Repeat("x", 1000)
	for i := range keys {
		b.WriteString(req("SET k" + strconv.Itoa(i) + " " + value))
	}
	c := dialRedis(t, addr)
	go io.WriteString(c, b.String()) // ends with the replies, or with the connection
	for range keys {
		if reply := c.read(); reply != "+OK\r\n" {
			t.Fatalf("SET: %q", reply)
		}
	}
	if reply := c.ask("SAVE"); reply != "+OK\r\n" {
		t.Fatalf("SAVE: %q", reply)
	}
}

// skipUnlessOfTheTable skips a test that compares with another Redis than the
// table is of.
func skipUnlessOfTheTable(t *testing.T, kind, version string) {
	t.Helper()
	head, _, _ := strings.Cut(commandsText, ":")
	if kind != stack.Redis || !strings.HasSuffix(head, " "+version) {
		t.Skipf("the server is %s %s; commands.txt is of %s", kind, version, head)
	}
}

// A rawConn is a plain connection to a server.
type rawConn struct {
	net.Conn
	t  *testing.T
	in *bufio.Reader
}

func dialRedis(t *testing.T, addr string) *rawConn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(hang))
	return &rawConn{Conn: c, t: t, in: bufio.NewReader(c)}
}

// ask sends a command and returns the bytes of its reply.
func (c *rawConn) ask(command string) string {
	c.t.Helper()
	if strings.Contains(command, "|") { // words with spaces in them
		return c.send(array(strings.Split(command, "|")))
	}
	return c.send(req(command))
}

// must asks for what must not fail.
func (c *rawConn) must(command string) {
	c.t.Helper()
	if reply := c.ask(command); strings.HasPrefix(reply, "-") {
		c.t.Fatalf("%s: %s", command, reply)
	}
}

func (c *rawConn) send(request string) string {
	c.t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		c.t.Fatalf("asking %q: %v", request, err)
	}
	return c.read()
}

// read reads a reply.
func (c *rawConn) read() string {
	c.t.Helper()
	line, err := c.in.ReadString('\n')
	if err != nil {
		c.t.Fatalf("reading a reply: %v", err)
	}
	n, _ := strconv.Atoi(strings.TrimSpace(line[1:]))
	text := line
	switch line[0] {
	case '$':
		if n >= 0 {
			b := make([]byte, n+2)
			if _, err := io.ReadFull(c.in, b); err != nil {
				c.t.Fatalf("reading a reply: %v", err)
			}
			text += string(b)
		}
	case '%':
		n *= 2
		fallthrough
	case '*', '~':
		for range n {
			text += c.read()
		}
	}
	return text
}
