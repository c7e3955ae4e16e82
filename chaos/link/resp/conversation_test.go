package resp

import (
	"slices"
	"strings"
	"testing"

	"brownout/chaos"
)

// notAsked are the commands that no server is asked here: they end the connection
// or the server, change the state it is in, have no one reply, are allowed by the
// server's settings only, or are refused for what their arguments say (see
// conversations).
var notAsked = strings.Fields(`
	QUIT SHUTDOWN MONITOR SYNC PSYNC REPLCONF REPLICAOF SLAVEOF FAILOVER RESET AUTH HELLO
	SUBSCRIBE UNSUBSCRIBE PSUBSCRIBE PUNSUBSCRIBE SSUBSCRIBE SUNSUBSCRIBE MULTI EXEC
	DEBUG MODULE|LOAD MODULE|LOADEX MODULE|UNLOAD
	EVAL EVALSHA FCALL EVAL_RO EVALSHA_RO FCALL_RO
	CLIENT|REPLY CLIENT|KILL CLIENT|PAUSE SAVE BGSAVE BGREWRITEAOF
	CLUSTER|RESET CLUSTER|FLUSHSLOTS CLUSTER|FAILOVER CLUSTER|BUMPEPOCH CLUSTER|SAVECONFIG
	PFSELFTEST COMMAND|DOCS`) // these take a second each

// sample is a request of a command of the table with as many arguments as it needs.
// Most mean nothing: a server refuses before it looks at them.
func sample(c *command) string {
	if c.kind == "XREADGROUP" {
		return req("XREADGROUP GROUP g c STREAMS 1 >")
	}
	words := strings.Split(c.kind, "|")
	blank := "1"
	if strings.HasPrefix(c.kind, "B") {
		blank = "0.01" // it may be a timeout
	}
	n := max(c.arity, -c.arity)
	if c.key.counted || c.key.word != "" {
		n = max(n, c.key.at+2)
	}
	for int64(len(words)) < n {
		words = append(words, blank)
	}
	if c.key.counted {
		words[c.key.at] = "1"
	}
	if c.key.word != "" {
		words[c.key.at] = c.key.word
	}
	return req(strings.Join(words, " "))
}

// samples lists a request of each command that can be asked.
func samples() []string {
	var all []string
	add := func(c *command) {
		if !slices.Contains(notAsked, c.kind) && (c.subs == nil || c.accepts(1)) {
			all = append(all, sample(c))
		}
	}
	for _, c := range commands() {
		add(c)
		for _, sub := range c.subs {
			add(sub)
		}
	}
	slices.Sort(all)
	return all
}

// conversations are commands whose replies must be those of a real server in the
// state, to the byte. With a line "--" the server comes into the state only then.
// Words that have spaces in them are divided by bars.
var conversations = []struct {
	name  string
	kinds []chaos.Kind
	text  string
}{
	{
		name:  "a transaction that writes",
		kinds: []chaos.Kind{chaos.Readonly, chaos.OOM, chaos.MasterDown, chaos.NoAuth, chaos.ClusterDown, chaos.Loading},
		text: `
			MULTI
			SET a 1
			GET a
			PING
			EXEC
			EXEC
			DISCARD
			GET
			MULTI
			SET a 1
			MULTI
			EXEC`,
	},
	{
		name:  "a transaction that does not touch data",
		kinds: []chaos.Kind{chaos.Readonly, chaos.OOM, chaos.MasterDown, chaos.NoAuth, chaos.ClusterDown, chaos.Loading},
		text: `
			MULTI
			PUBLISH a b
			CLIENT GETNAME
			EXEC
			WATCH a
			UNWATCH`,
	},
	{
		name:  "writes that were queued before",
		kinds: []chaos.Kind{chaos.Readonly, chaos.OOM, chaos.MasterDown, chaos.ClusterDown},
		text: `
			MULTI
			SET a 1
			--
			EXEC
			GET b`,
	},
	{
		name:  "reads that were queued before",
		kinds: []chaos.Kind{chaos.Readonly, chaos.OOM, chaos.MasterDown},
		text: `
			MULTI
			GET a
			--
			EXEC`,
	},
	{
		name:  "writes that were queued before, and one more",
		kinds: []chaos.Kind{chaos.Readonly, chaos.OOM, chaos.MasterDown},
		text: `
			MULTI
			SET a 1
			--
			SET a 2
			EXEC
			GET b`,
	},
	{
		name:  "scripts that say what they do",
		kinds: []chaos.Kind{chaos.Readonly, chaos.OOM, chaos.MasterDown, chaos.ClusterDown},
		text: `
			EVAL|#!lua
return 1|0
			EVAL|#!lua flags=no-writes
return 1|0
			EVAL|#!lua flags=allow-oom
return 1|0
			EVAL|#!lua flags=allow-stale,no-writes
return 1|0
			EVAL_RO|#!lua flags=no-writes
return 1|0
			EVAL_RO|return 1|0
			EVAL|return redis.call('set',KEYS[1],1)|1|k`,
	},
	{
		name:  "scripts by their name",
		kinds: []chaos.Kind{chaos.Readonly, chaos.OOM, chaos.MasterDown},
		text: `
			SCRIPT|LOAD|return redis.call('set',KEYS[1],1)
			--
			EVALSHA BEEF354d82996a708aa0deac229a63225ff0dd9c 1 k`,
	},
	{
		name:  "functions",
		kinds: []chaos.Kind{chaos.Readonly, chaos.OOM, chaos.MasterDown},
		text: `
			FUNCTION|LOAD|REPLACE|#!lua name=l
redis.register_function('w', function() return 1 end)
			MULTI
			FCALL w 0
			--
			EXEC
			FCALL w 0
			MULTI
			FCALL w 0
			EXEC`,
	},
	{
		name:  "the password has changed",
		kinds: []chaos.Kind{chaos.NoAuth},
		text: `
			HELLO
			HELLO 3
			HELLO 9
			HELLO x
			HELLO 2 AUTH default old
			HELLO 2 SETNAME x AUTH default old
			AUTH old
			AUTH default old
			PING
			RESET
			QUIT`,
	},
	{
		name:  "what a connection is set up with",
		kinds: []chaos.Kind{chaos.Loading, chaos.MasterDown, chaos.Readonly, chaos.OOM, chaos.ClusterDown},
		text: `
			CLIENT SETINFO LIB-NAME x
			CLIENT SETNAME x
			SELECT 0
			CLIENT MAINT_NOTIFICATIONS ON`,
	},
}

// TestARefusalIsThatOfARealServer compares a real server in a state with a healthy
// one behind a dialog with the answer that pretends the state.
func TestARefusalIsThatOfARealServer(t *testing.T) {
	healthy := startRedis(t)
	for _, s := range states {
		t.Run(string(s.kind), func(t *testing.T) {
			t.Parallel()
			addr := s.start(t)
			t.Run("every command", func(t *testing.T) { s.compareCommands(t, addr, healthy.Addr) })
			for _, c := range conversations {
				if slices.Contains(c.kinds, s.kind) {
					t.Run(c.name, func(t *testing.T) { s.compareReplies(t, c.text, addr, healthy.Addr) })
				}
			}
		})
	}
}

// compareCommands asks the server at addr and a pretender each command. What one
// of them refuses, the other must.
func (s state) compareCommands(t *testing.T, addr, healthy string) {
	p := startProxy(t, healthy)
	p.inject(&answer(s.kind).Answer)
	oracle, pretender := dialRedis(t, addr), dialRedis(t, p.addr)
	refused, refusal := 0, string(errorReply(s.text))
	for _, request := range samples() {
		want, got := oracle.send(request), pretender.send(request)
		if want == refusal {
			refused++
		}
		if want != got && (want == refusal || got == refusal) {
			t.Errorf("%q\n got %q\nwant %q", request, got, want)
		}
	}
	if refused < 30 {
		t.Errorf("%d commands were refused, want at least 30", refused)
	}
}

// compareReplies asks the server at addr and a pretender the same. Where the state
// comes only in the middle, the server is a fresh one.
func (s state) compareReplies(t *testing.T, text, addr, healthy string) {
	p := startProxy(t, healthy)
	before, after, later := strings.Cut(text, "--")
	if later {
		addr = s.startCalm(t)
	} else {
		p.inject(&answer(s.kind).Answer)
	}
	oracle, pretender := dialRedis(t, addr), dialRedis(t, p.addr)
	ask := func(lines string) {
		for line := range strings.SplitSeq(lines, "\n\t\t\t") {
			if line == "" {
				continue
			}
			if want, got := oracle.ask(line), pretender.ask(line); got != want {
				t.Errorf("%q\n got %q\nwant %q", line, got, want)
			}
		}
	}
	if ask(before); later {
		s.enter(t, addr)
		p.inject(&answer(s.kind).Answer)
		ask(after)
	}
}
