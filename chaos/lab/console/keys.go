package console

import "io"

// ctrlC is what a terminal in raw mode sends for it.
const ctrlC = 3

// typedAhead bounds what is kept of what is typed while nobody reads, in reads.
const typedAhead = 64

// Keys reads a terminal in raw mode also while a command is carried out, so that
// Ctrl-C, which is only a byte there, is heard at any time: it calls interrupt and
// is passed on to nobody. Reading cannot be interrupted: the goroutine that does it
// ends with in, or with the process.
func Keys(in io.Reader, interrupt func()) io.Reader {
	k := &keys{typed: make(chan []byte, typedAhead)}
	go k.listen(in, interrupt)
	return k
}

type keys struct {
	typed chan []byte
	rest  []byte
}

func (k *keys) listen(in io.Reader, interrupt func()) {
	defer close(k.typed)
	for {
		b := make([]byte, 256)
		n, err := in.Read(b)
		kept := b[:0]
		for _, key := range b[:n] {
			if key == ctrlC {
				interrupt()
				continue
			}
			kept = append(kept, key)
		}
		select {
		case k.typed <- kept:
		default: // typed too far ahead
		}
		if err != nil {
			return
		}
	}
}

// Read implements io.Reader, for one reader at a time.
func (k *keys) Read(b []byte) (int, error) {
	for len(k.rest) == 0 {
		var open bool
		if k.rest, open = <-k.typed; !open {
			return 0, io.EOF
		}
	}
	n := copy(b, k.rest)
	k.rest = k.rest[n:]
	return n, nil
}
