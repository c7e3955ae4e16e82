package toxiproxy

import (
	"fmt"
	"time"

	client "github.com/Shopify/toxiproxy/v2/client"

	"brownout/chaos"
)

// The streams of Toxiproxy.
const (
	upstream   = "upstream"
	downstream = "downstream"
)

// translate returns the toxics that f is made of, none for refuse.
func translate(f chaos.Fault) ([]client.Toxic, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	if f.Share != 0 || f.Whom != "" && f.Whom != chaos.Everyone {
		return nil, &chaos.ParameterError{Parameter: "share", Problem: "a Toxiproxy cannot choose connections: leave out share and whom"}
	}
	name, attributes, err := attributes(f)
	if err != nil || name == "" {
		return nil, err
	}
	var toxics []client.Toxic
	for _, stream := range streams(f) {
		toxics = append(toxics, client.Toxic{
			Name: fmt.Sprintf("brownout_%s_%s", f.Kind, stream),
			Type: name, Stream: stream, Toxicity: 1, Attributes: attributes,
		})
	}
	return toxics, nil
}

// attributes are what Toxiproxy is told about f, and the toxic's type.
func attributes(f chaos.Fault) (name string, a client.Attributes, err error) {
	switch f.Kind {
	case chaos.Refuse:
		return "", nil, nil
	case chaos.Reset:
		return "reset_peer", client.Attributes{"timeout": 0}, nil
	case chaos.Blackhole:
		if f.Revert != chaos.Close {
			err = &chaos.ParameterError{Parameter: "revert", Problem: "a Toxiproxy closes connections when a blackhole is taken away: say close"}
		}
		return "timeout", client.Attributes{"timeout": 0}, err
	case chaos.Latency:
		a = client.Attributes{"latency": f.Latency.Milliseconds(), "jitter": f.Jitter.Milliseconds()}
		return "latency", a, whole("latency", time.Millisecond, f.Latency, f.Jitter)
	case chaos.SlowClose:
		return "slow_close", client.Attributes{"delay": f.Latency.Milliseconds()}, whole("latency", time.Millisecond, f.Latency)
	case chaos.Slice:
		a = client.Attributes{"average_size": f.Size, "size_variation": 0, "delay": f.GapTime().Microseconds()}
		return "slicer", a, whole("gap", time.Microsecond, f.GapTime())
	case chaos.Bandwidth:
		if f.Rate%1000 != 0 {
			err = &chaos.ParameterError{Parameter: "rate", Problem: "a Toxiproxy takes multiples of 1000 bytes per second only, for example 64000"}
		}
		return "bandwidth", client.Attributes{"rate": f.Rate / 1000}, err
	case chaos.LimitData:
		return "limit_data", client.Attributes{"bytes": f.Bytes}, nil
	}
	return "", nil, &chaos.ParameterError{Parameter: "kind", Problem: fmt.Sprintf("a Toxiproxy cannot do %s", f.Kind)}
}

// whole returns an error for a time that is not in whole units.
func whole(parameter string, unit time.Duration, all ...time.Duration) error {
	for _, d := range all {
		if d%unit != 0 {
			return &chaos.ParameterError{Parameter: parameter, Problem: fmt.Sprintf("a Toxiproxy takes multiples of %v only", unit)}
		}
	}
	return nil
}

// streams are those that the toxic of f is put on.
func streams(f chaos.Fault) []string {
	way := f.Way()
	if f.Kind == chaos.Reset {
		way = chaos.DirectionBoth // whoever speaks first
	}
	switch way {
	case chaos.DirectionUp:
		return []string{upstream}
	case chaos.DirectionDown:
		return []string{downstream}
	}
	return []string{upstream, downstream}
}
