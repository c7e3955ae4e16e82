package scenarios

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"brownout/loadtest"
	"brownout/results"
)

// The structs below are the target file as it is written.

type targetFile struct {
	Name     scalar            `yaml:"name"`
	Command  []scalar          `yaml:"command"`
	Address  scalar            `yaml:"address"`
	Ready    scalar            `yaml:"ready"`
	Startup  scalar            `yaml:"startup"`
	Metrics  scalar            `yaml:"metrics"`
	Env      map[string]scalar `yaml:"env"`
	Settings map[string]scalar `yaml:"settings"`
	Links    map[string]scalar `yaml:"links"`
	Read     *requestFile      `yaml:"read"`
	Write    *requestFile      `yaml:"write"`
}

type requestFile struct {
	Method  scalar            `yaml:"method"`
	URL     scalar            `yaml:"url"`
	Headers map[string]scalar `yaml:"headers"`
	Body    scalar            `yaml:"body"`
	Answer  answerFile        `yaml:"answer"`
}

type answerFile struct {
	Token   locatorFile `yaml:"token"`
	Version locatorFile `yaml:"version"`
	Source  sourceFile  `yaml:"source"`
}

type locatorFile struct {
	Header scalar `yaml:"header"`
	Body   scalar `yaml:"body"`
}

type sourceFile struct {
	Header scalar            `yaml:"header"`
	Format scalar            `yaml:"format"`
	Values map[string]scalar `yaml:"values"`
}

const defaultStartup = 15 * time.Second

// ParseTarget reads a target file. Only name, address and one request template,
// read, must be there. Errors are as those of Parse.
func ParseTarget(file string, data []byte) (*Target, error) {
	var raw targetFile
	if err := decode(file, data, &raw); err != nil {
		return nil, err
	}
	p := &problems{file: file}
	t := raw.build(p)
	t.File = file
	if err := p.err(); err != nil {
		return nil, err
	}
	return t, nil
}

func (raw *targetFile) build(p *problems) *Target {
	t := &Target{
		Name:     p.name(raw.Name, Place{}),
		Address:  strings.TrimSuffix(p.required(raw.Address, "address (base URL of the target)", raw.Name.at), "/"),
		Ready:    raw.Ready.text,
		Startup:  p.duration(raw.Startup, defaultStartup),
		Metrics:  raw.Metrics.text,
		Env:      texts(raw.Env),
		Settings: texts(raw.Settings),
		Links:    texts(raw.Links),
	}
	if err := checkAddress(t.Address); err != nil && raw.Address.given() {
		p.add(raw.Address.at, "%v", err)
	}
	if raw.Metrics.given() && !strings.HasPrefix(raw.Metrics.text, "/") {
		p.add(raw.Metrics.at, "%q is not a path; it starts with / and is joined to the target's address", raw.Metrics.text)
	}
	for _, word := range raw.Command {
		t.Command = append(t.Command, word.text)
	}
	raw.checkPlaceholders(p)
	raw.checkLinks(p)
	raw.buildRequests(p, t)
	return t
}

func (raw *targetFile) buildRequests(p *problems, t *Target) {
	if raw.Read == nil {
		p.add(raw.Name.at, "read is missing: the request that reads a flag")
		return
	}
	t.Requests.Read, t.Requests.ReadAnswer = raw.Read.build(p, "GET", raw.Name.at)
	if raw.Write != nil {
		write, answer := raw.Write.build(p, "PUT", raw.Name.at)
		t.Requests.Write, t.Requests.WriteAnswer = &write, answer
	}
	if err := t.RequestsAt("http://127.0.0.1").Validate(); err != nil && len(p.list) == 0 {
		p.add(raw.Read.URL.at, "%v", err)
	}
}

func (raw *requestFile) build(p *problems, method string, at Place) (loadtest.Template, loadtest.Answer) {
	p.required(raw.URL, "url (path of the request, with {env} and {key})", at)
	if raw.URL.given() && !strings.HasPrefix(raw.URL.text, "/") {
		p.add(raw.URL.at, "%q is not a path; it starts with / and is joined to the target's address", raw.URL.text)
	}
	t := loadtest.Template{Method: method, URL: raw.URL.text, Header: texts(raw.Headers), Body: raw.Body.text}
	if raw.Method.given() {
		t.Method = raw.Method.text
	}
	return t, loadtest.Answer{
		Token:   raw.Answer.Token.build(p),
		Version: raw.Answer.Version.build(p),
		Source:  raw.Answer.Source.build(p),
	}
}

func (raw *locatorFile) build(p *problems) loadtest.Locator {
	if raw.Header.given() && raw.Body.given() {
		p.add(raw.Body.at, "give a header or a place in the body, not both")
	}
	return loadtest.Locator{Header: raw.Header.text, Pointer: raw.Body.text}
}

func (raw *sourceFile) build(p *problems) loadtest.SourceLocator {
	s := loadtest.SourceLocator{Header: raw.Header.text}
	s.CacheStatus = p.word(raw.Format, "value", "value", "cache-status") == "cache-status"
	for value, source := range raw.Values {
		if s.Values == nil {
			s.Values = map[string]results.Source{}
		}
		s.Values[value] = results.Source(p.word(source, "", "hit", "stale", "miss", "bypass"))
	}
	return s
}

func (raw *targetFile) checkPlaceholders(p *problems) {
	known := map[string]string{}
	var names []string
	for _, doc := range Placeholders() {
		known[doc[0]] = doc[0]
		names = append(names, doc[0])
	}
	check := func(s scalar) {
		for _, found := range placeholder.FindAllStringSubmatch(s.text, -1) {
			if _, ok := known[found[1]]; !ok {
				p.add(s.at, "there is no {%s}; there are {%s}", found[1], strings.Join(names, "}, {"))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(raw.Env)) {
		check(raw.Env[name])
	}
	for _, word := range raw.Command {
		check(word)
	}
	check(raw.Address)
}

// checkLinks holds that a link listens on this machine only.
func (raw *targetFile) checkLinks(p *problems) {
	for _, name := range slices.Sorted(maps.Keys(raw.Links)) {
		if err := checkLoopback(raw.Links[name].text); err != nil {
			p.add(raw.Links[name].at, "%v", err)
		}
	}
}

func checkLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("%q is not an address to listen on; write for example 127.0.0.1:6390 (links listen on loopback only)", address)
	}
	return nil
}
