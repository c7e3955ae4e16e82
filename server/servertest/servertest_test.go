package servertest_test

import (
	"testing"

	"brownout/server/feature"
	"brownout/server/servertest"
)

func TestTheStoreInMemoryIsAStore(t *testing.T) {
	servertest.TestStore(t, func(*testing.T) feature.Store { return servertest.NewStore() })
}

func TestTheStoreInMemoryKeepsTheLimitOfFlags(t *testing.T) {
	s := servertest.NewStore()
	s.Limit = servertest.LimitOfTest
	servertest.TestLimit(t, s)
}
