package loadtest

import (
	"fmt"
	"strconv"
	"strings"
)

const seedMark = "seed"

// Token returns the value that write seq writes to a flag, such as
// "env-1/flag-0001#1042". It names the write, so that an answer that shows the
// value also says which write it stems from, and for which flag it was meant.
func Token(environment, key string, seq uint64) string {
	return environment + "/" + key + "#" + strconv.FormatUint(seq, 10)
}

// SeedToken returns the value that a flag has before the load, such as
// "env-1/flag-0001#seed".
func SeedToken(environment, key string) string {
	return environment + "/" + key + "#" + seedMark
}

// An Origin is the write that a token names.
type Origin struct {
	Flag
	Seq  uint64 // number of the write; 0 when Seed
	Seed bool   // the write was made before the load
}

// ParseToken is the inverse of Token and SeedToken.
func ParseToken(token string) (Origin, error) {
	flag, write, marked := cutLast(token, "#")
	env, key, split := strings.Cut(flag, "/")
	if !marked || !split || env == "" || key == "" {
		return Origin{}, fmt.Errorf("%q is not a token such as env-1/flag-0001#42", excerpt(token))
	}
	o := Origin{Flag: Flag{Environment: env, Key: key}, Seed: write == seedMark}
	if o.Seed {
		return o, nil
	}
	seq, err := strconv.ParseUint(write, 10, 64)
	if err != nil || strconv.FormatUint(seq, 10) != write {
		return Origin{}, fmt.Errorf("token %q ends in neither a number nor %s", excerpt(token), seedMark)
	}
	o.Seq = seq
	return o, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
