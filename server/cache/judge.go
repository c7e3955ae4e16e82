package cache

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// A verdict is what a command's outcome says about Redis.
type verdict int

const (
	answered     verdict = iota // it is there and does its work
	refusedWrite                // it is a replica: READONLY, in any form
	refused                     // it is there, and answers with an error
	silent                      // no answer, or it does not let us in
	unknown                     // it was not asked, or the caller has gone before there was an answer
)

// judge reads an outcome.
func judge(ctx context.Context, err error) verdict {
	if err == nil || errors.Is(err, redis.Nil) {
		return answered
	}
	var reply redis.Error
	if errors.As(err, &reply) {
		return judgeReply(reply.Error())
	}
	if errors.Is(ctx.Err(), context.Canceled) || errors.Is(err, redis.ErrPoolExhausted) || errors.Is(err, redis.ErrPoolTimeout) {
		// All connections are in use. Those commands will tell why.
		return unknown
	}
	return silent
}

// judgeReply reads the first words of an error that Redis has sent.
func judgeReply(text string) verdict {
	// Some proxies say ERR READONLY (stormkit-io/stormkit-io, pull request 533).
	text = strings.TrimPrefix(text, "ERR ")
	switch word, _, _ := strings.Cut(text, " "); word {
	case "READONLY":
		return refusedWrite
	case "NOAUTH", "WRONGPASS":
		// Each of them costs a connection.
		return silent
	}
	return refused
}
