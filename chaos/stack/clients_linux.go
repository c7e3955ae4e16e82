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

// countClients asks the kernel.
func (n *Node) countClients() (int, error) {
	f, err := os.Open("/proc/net/tcp")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	_, text, err := net.SplitHostPort(n.Addr)
	if err != nil {
		return 0, err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return 0, err
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
		return 0, err
	}
	return clients, nil
}
