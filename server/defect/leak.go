package defect

import (
	"net/http"
	"os"
	"runtime"
	"sync"
)

// leakSize is how many bytes each request leaves behind.
const leakSize = 64 << 10

// leaks are defects of what is never given back.
func leaks() []Defect {
	return []Defect{
		{"memory-unbounded", "Each request leaves 64 KiB behind.", aroundHandler(leaving(func() func() any {
			return func() any { return touched(leakSize) }
		}))},
		{"goroutine-leak", "Each request leaves a goroutine behind, with 32 KiB that it works on.", aroundHandler(leaving(func() func() any {
			never := make(chan struct{})
			return func() any {
				go func() {
					work := touched(leakSize / 2)
					<-never
					runtime.KeepAlive(work)
				}()
				return never
			}
		}))},
		{"descriptor-leak", "Each request leaves an open file behind.", aroundHandler(leaving(func() func() any {
			return func() any {
				f, err := os.Open(os.DevNull)
				if err != nil {
					return nil // there are no more
				}
				return f
			}
		}))},
	}
}

// touched is memory that the process really has: the machine gives what is written to.
func touched(size int) []byte {
	memory := make([]byte, size)
	for i := range memory {
		memory[i] = 1
	}
	return memory
}

// leaving keeps what each request leaves behind.
func leaving(begin func() func() any) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		leave := begin()
		var mu sync.Mutex
		var left []any
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r)
			one := leave()
			mu.Lock()
			defer mu.Unlock()
			left = append(left, one)
		})
	}
}
