package scenarios

import "testing"

func TestWithoutFaults(t *testing.T) {
	all, err := Catalog()
	if err != nil {
		t.Fatal(err)
	}
	injured := 0
	for _, s := range all {
		was := s.Injured()
		twin := s.WithoutFaults()
		if twin.Injured() || twin.Cold {
			t.Errorf("%s without faults still breaks something", s.Name)
		}
		if s.Injured() != was {
			t.Errorf("WithoutFaults changes %s itself", s.Name)
		}
		for i, p := range twin.Phases {
			if len(p.Expect) != len(s.Phases[i].Expect) || p.For != s.Phases[i].For {
				t.Errorf("%s without faults: phase %s differs in more than its faults", s.Name, p.Name)
			}
		}
		if was {
			injured++
		}
	}
	if injured == 0 || injured == len(all) {
		t.Errorf("%d of %d scenarios break something, want some and not all", injured, len(all))
	}
}
