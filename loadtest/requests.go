package loadtest

import (
	"errors"
	"fmt"

	"brownout/results"
)

// Requests says how to read and write a flag of the target.
type Requests struct {
	Read        Template  // required
	Write       *Template // nil: the target cannot be written to
	ReadAnswer  Answer    // where an answer to Read says things
	WriteAnswer Answer    // and one to Write; without Token, which a write knows itself
}

// An Answer says where a 2xx answer tells things. What is named must be there: an
// answer without it counts as an error of class results.ErrorAnswer.
type Answer struct {
	Version Locator
	Token   Locator
	Source  SourceLocator
}

// Validate returns what is wrong with the requests.
func (r Requests) Validate() error {
	_, err := r.compile()
	return err
}

// forms are Requests ready to be used.
type forms struct {
	read, write             form
	readAnswer, writeAnswer Answer
	writes                  bool
}

func (r Requests) compile() (f forms, err error) {
	f = forms{readAnswer: r.ReadAnswer, writeAnswer: r.WriteAnswer, writes: r.Write != nil}
	if f.read, err = r.Read.compile(); err != nil {
		return forms{}, fmt.Errorf("read: %w", err)
	}
	if f.read.mentions("token") {
		return forms{}, errors.New("read: {token} is what a write writes; a read has none")
	}
	if err := r.ReadAnswer.check(); err != nil {
		return forms{}, fmt.Errorf("read: answer: %w", err)
	}
	if r.Write != nil {
		if f.write, err = r.Write.compile(); err != nil {
			return forms{}, fmt.Errorf("write: %w", err)
		}
	}
	return f, r.checkWrite(f.write)
}

// compileAll compiles the requests of every instance.
func compileAll(first Requests, peers []Requests) ([]forms, error) {
	var all []forms
	for _, r := range append([]Requests{first}, peers...) {
		f, err := r.compile()
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// checkWrite looks at what read and write must have in common.
func (r Requests) checkWrite(write form) error {
	if err := r.WriteAnswer.check(); err != nil {
		return fmt.Errorf("write: answer: %w", err)
	}
	if r.WriteAnswer.Token.given() {
		return errors.New("write: answer: token is not looked for, a write knows its own; leave it out")
	}
	if r.Write != nil && r.ReadAnswer.Token.given() && !write.mentions("token") {
		return errors.New("write: {token} is missing; without it no answer can name the write it stems from")
	}
	return nil
}

func (a Answer) check() error {
	if err := a.Version.check(); err != nil {
		return fmt.Errorf("version: %w", err)
	}
	if err := a.Token.check(); err != nil {
		return fmt.Errorf("token: %w", err)
	}
	if err := a.Source.check(); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	return nil
}

// of returns the form and the answer of an operation.
func (f forms) of(op results.Op) (form, Answer) {
	if op == results.OpWrite || op == results.OpSeed {
		return f.write, f.writeAnswer
	}
	return f.read, f.readAnswer
}
