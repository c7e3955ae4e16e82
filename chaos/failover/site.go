package failover

import "context"

// A Site is what a plan acts on: a cache, of which every kind can do something else.
// Methods of sites return when what they do has been done.
type Site interface {
	// Names are those of the old and the new primary, the same before a promotion.
	Names() (old, new string)
}

// Endpoints is the site of a replicated cache: one primary, its replicas and the
// names under which clients find them.
type Endpoints interface {
	Site
	// Vanish takes the primary's host away: its connections fall silent without FIN or
	// RST, dials of its address time out, and its process is gone.
	Vanish(ctx context.Context) error
	// HangUp closes the connections to the primary with FIN, and lets dials of its
	// address time out from then on. Its process goes on.
	HangUp(ctx context.Context) error
	// Promote makes the replica that is least behind the primary, and says which.
	Promote(ctx context.Context) error
	// Demote makes the old primary a replica of the new one. Its connections stay.
	Demote(ctx context.Context) error
	// CloseOnWrite makes the old primary close connections that write to it, after the
	// READONLY (ElastiCache's parameter close-on-replica-write).
	CloseOnWrite(ctx context.Context) error
	// Move lets the primary's name lead to the new primary: dials get there, and
	// connections to the old one stay what they are.
	Move(ctx context.Context) error
	// Replace puts an empty replica in the old primary's place.
	Replace(ctx context.Context) error
	// Load makes the replacement answer LOADING, and Loaded ends that.
	Load(ctx context.Context) error
	Loaded(ctx context.Context) error
	// Delete ends the old primary's connections and process: the second wave.
	Delete(ctx context.Context) error
}

// Passwords is the site of a cache whose clients give a password. The error of each
// says so when they give none.
type Passwords interface {
	Site
	// Rotate makes every server accept a new password beside the old one.
	Rotate(ctx context.Context) error
	// HandOver gives clients the new password.
	HandOver(ctx context.Context) error
	// Set makes every server refuse the old password. Connections live on.
	Set(ctx context.Context) error
}

// Shard is the site of a cluster: one of its shards, with its replica.
type Shard interface {
	Site
	// Vanish takes the host of the shard's primary away: its connections fall silent
	// without FIN or RST, dials of its address time out, and its process is gone.
	Vanish(ctx context.Context) error
	// Elected waits until the other primaries have made a replica the primary.
	Elected(ctx context.Context) error
	// Replace starts the old primary's node again, empty, and waits until it follows
	// the new one. Nobody can reach it yet.
	Replace(ctx context.Context) error
	// Load lets others reach the replacement, which answers LOADING; Loaded ends that.
	Load(ctx context.Context) error
	Loaded(ctx context.Context) error
	// Leave takes the replacement's host away, and Return brings it back.
	Leave(ctx context.Context) error
	Return(ctx context.Context) error
}

// Sentinels is the site of a cache that Sentinels watch. All but Order wait for what
// the Sentinels do.
type Sentinels interface {
	Site
	// Order tells a Sentinel to fail over, which it does without asking the others.
	Order(ctx context.Context) error
	// Promoted waits until a replica calls itself primary.
	Promoted(ctx context.Context) error
	// Switched waits until every Sentinel names that one.
	Switched(ctx context.Context) error
	// Demoted waits until the old primary calls itself a replica.
	Demoted(ctx context.Context) error
}

// Proxy is the site of a cache that clients see only one address of.
type Proxy interface {
	Site
	// Slow delays answers, and Quick ends that.
	Slow(ctx context.Context) error
	Quick(ctx context.Context) error
	// Cut resets some of the connections.
	Cut(ctx context.Context) error
}
