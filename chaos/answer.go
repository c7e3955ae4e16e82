package chaos

// The kinds of fault that answer in the dependency's name. They need a link that
// understands what passes it.
const (
	// Readonly answers writes as a replica does.
	Readonly Kind = "readonly"
	// ReadonlyClose is Readonly, and closes the connection after the answer.
	ReadonlyClose Kind = "readonly_close"
	// ErrReadonly answers writes with an error that clients do not recognise as READONLY.
	ErrReadonly Kind = "err_readonly"
	// Loading answers as a server that reads its data from disk.
	Loading Kind = "loading"
	// ClusterDown answers commands on keys as a cluster without a majority.
	ClusterDown Kind = "clusterdown"
	// MasterDown answers as a replica that has lost its primary and may not serve old data.
	MasterDown Kind = "masterdown"
	// OOM answers commands that need memory as a full server.
	OOM Kind = "oom"
	// NoAuth answers as a server whose password has changed.
	NoAuth Kind = "noauth"
	// MaxClients turns new connections away as a server that has too many.
	MaxClients Kind = "max_clients"
	// Garbage answers with noise that is no protocol.
	Garbage Kind = "garbage"

	// AdminShutdown ends connections as a PostgreSQL that is shut down does.
	AdminShutdown Kind = "admin_shutdown"
	// TooManyConnections turns new connections away as a PostgreSQL that has too many.
	TooManyConnections Kind = "too_many_connections"
	// SlowQuery keeps statements back before the database gets them.
	SlowQuery Kind = "slow_query"
)

// The protocols that answers belong to, as in KindDoc.
const (
	ProtocolRedis    = "redis"
	ProtocolPostgres = "postgres"
)

// answerKinds documents them, in the order of the documentation.
func answerKinds() []KindDoc {
	return []KindDoc{
		{Readonly, "writes are answered READONLY", nil, ProtocolRedis},
		{ReadonlyClose, "writes are answered READONLY, and the connection is closed", nil, ProtocolRedis},
		{ErrReadonly, "writes are answered ERR READONLY, as some proxies do", nil, ProtocolRedis},
		{Loading, "commands are answered LOADING", nil, ProtocolRedis},
		{ClusterDown, "commands on keys are answered CLUSTERDOWN", nil, ProtocolRedis},
		{MasterDown, "commands are answered MASTERDOWN", nil, ProtocolRedis},
		{OOM, "commands that need memory are answered OOM", nil, ProtocolRedis},
		{NoAuth, "commands are answered NOAUTH", nil, ProtocolRedis},
		{MaxClients, "new connections are told that there are too many, and closed", nil, ProtocolRedis},
		{Garbage, "commands are answered with noise", nil, ProtocolRedis},
		{AdminShutdown, "connections are ended as by a shutdown (57P01), new ones turned away (57P03)", nil, ProtocolPostgres},
		{TooManyConnections, "new connections are told that there are too many (53300)", nil, ProtocolPostgres},
		{SlowQuery, "statements reach the database later by latency", nil, ProtocolPostgres},
	}
}
