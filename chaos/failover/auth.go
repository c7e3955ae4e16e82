package failover

import "time"

// auth is where the two strategies stand; it gives no time between them.
const auth = "AWS, ElastiCache: Authenticating with the AUTH command (ROTATE, then SET); the time is assumed: no figure was found"

// authRotation changes the password of clients while they work.
func authRotation() Plan {
	return Plan{
		Name:  "auth-rotation",
		Doc:   "the AUTH token is rotated, given to clients, and set: the old one is refused on new connections",
		Needs: []string{"redis", "valkey", "replicated", "sentinel", "cluster"}, Heals: "set",
		Parameters: []Parameter{
			{"handed-over", 60 * time.Second, "clients find the new password in their file", auth},
			{"set", 120 * time.Second, "the old password is refused", auth},
		},
		steps: func(at Times) []Step {
			return []Step{
				{At: 0, Name: "rotate", Text: "the AUTH token is rotated: old and new are accepted (ROTATE)", Do: do(Passwords.Rotate)},
				{At: at["handed-over"], Name: "hand-over", Text: "clients find the new AUTH token in their file", Do: do(Passwords.HandOver)},
				{At: at["set"], Name: "set", Text: "the new AUTH token is set: the old one is refused (SET)", Do: do(Passwords.Set)},
			}
		},
	}
}
