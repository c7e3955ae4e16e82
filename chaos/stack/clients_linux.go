package stack

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

// established is TCP_ESTABLISHED of include/net/tcp_states.h, as /proc writes it.
const established = "01"

// Clients counts the connections to the server as the kernel knows them, also
// those that the server has not accepted yet. The server is not asked.
func (n *Node) Clients() (int, error) {
	f, err := os.Open("/proc/net/tcp")
	if err != nil {
		return 0, fmt.Errorf("counting the clients of the %s: %w", n.Name, err)
	}
	defer f.Close()
	_, text, err := net.SplitHostPort(n.Addr)
	if err != nil {
		return 0, fmt.Errorf("counting the clients of the %s: %w", n.Name, err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("counting the clients of the %s: %w", n.Name, err)
	}
	clients, local := 0, fmt.Sprintf(":%04X", port)
	lines := bufio.NewScanner(f)
	for lines.Scan() { // sl, local address, remote address, state, …
		fields := strings.Fields(lines.Text())
		if len(fields) > 3 && strings.HasSuffix(fields[1], local) && fields[3] == established {
			clients++
		}
	}
	if err := lines.Err(); err != nil {
		return 0, fmt.Errorf("counting the clients of the %s: %w", n.Name, err)
	}
	return clients, nil
}
