package admin

import "context"

// Slots are a range of slots and who serves it, as a node of a cluster sees it.
// Addresses are host:port, as they are announced.
type Slots struct {
	From, To int // both inclusive
	Primary  string
	Replicas []string
}

// Slots asks for CLUSTER SLOTS.
func (s Server) Slots(ctx context.Context) ([]Slots, error) {
	r, err := s.Do(ctx, "CLUSTER", "SLOTS")
	if err != nil {
		return nil, err
	}
	var all []Slots
	for _, entry := range r.List {
		slots := Slots{From: int(entry.at(0).int()), To: int(entry.at(1).int())}
		for i := 2; i < len(entry.List); i++ {
			at := addr(entry.at(i).at(0), entry.at(i).at(1))
			if i == 2 {
				slots.Primary = at
			} else {
				slots.Replicas = append(slots.Replicas, at)
			}
		}
		all = append(all, slots)
	}
	return all, nil
}
