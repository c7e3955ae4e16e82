package run

import (
	"net/url"
	"strings"

	"brownout/results"
)

// values are what the placeholders of a target file stand for.
func (b *bench) values() map[string]string {
	values := map[string]string{}
	if text := b.lab.CacheURL(); text != "" {
		b.addURL(values, results.LinkCache, text)
	}
	if text := b.lab.DatabaseURL(); text != "" {
		b.addURL(values, results.LinkDatabase, text)
	}
	for _, a := range b.lab.Addresses() {
		if name, ok := placeholders()[a.Name]; ok {
			values[name] = a.Value
		}
	}
	return values
}

// placeholders are the names in target files of what a lab calls by variables.
func placeholders() map[string]string {
	return map[string]string{
		"REDIS_READER_URL":       "cache.reader_url",
		"REDIS_SENTINELS":        "cache.sentinels",
		"REDIS_SENTINEL_PRIMARY": "cache.sentinel_primary",
		"REDIS_CLUSTER_NODES":    "cache.nodes",
		"REDIS_PASSWORD_FILE":    "cache.password_file",
		"CA_FILE":                "ca_file",
	}
}

// addURL adds a URL and what it is made of.
func (b *bench) addURL(values map[string]string, name, text string) {
	u, err := url.Parse(text)
	if err != nil {
		return // not reached: the lab made it
	}
	values[name+".url"] = text
	values[name+".host"], values[name+".port"] = u.Hostname(), u.Port()
	values[name+".user"] = u.User.Username()
	values[name+".password"], _ = u.User.Password()
	if query := u.Query(); u.User == nil && query.Has("password") { // of Sentinels
		values[name+".user"], values[name+".password"] = query.Get("username"), query.Get("password")
	}
	values[name+".name"] = strings.TrimPrefix(u.Path, "/")
}
