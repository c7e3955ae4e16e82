# make help lists the targets. `make bench` and `make test` do all set-up themselves.
SHELL := /bin/sh
GO    ?= go

# With FETCH=no nothing is downloaded: what is missing is named instead.
FETCH ?= yes

# How long `make soak` lasts.
SOAK ?= 10m

.DEFAULT_GOAL := help

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  FETCH=no      with any target: download no servers, say what is missing"

build: ## Build bin/brownout
	@mkdir -p bin
	$(GO) build -o bin/brownout .

servers: ## Fetch the servers that this machine lacks (Redis, PostgreSQL) into a private cache
	@BROWNOUT_FETCH=$(FETCH) sh chaos/stack/fetch-servers.sh

valkey: ## Fetch Valkey too, for the topology valkey and --engine valkey
	@BROWNOUT_FETCH=$(FETCH) sh chaos/stack/fetch-servers.sh valkey

lint: ## Format check, vet (also for macOS) and staticcheck
	@unformatted="$$(gofmt -l .)"; test -z "$$unformatted" || { echo "not gofmt-ed: $$unformatted" >&2; exit 1; }
	$(GO) vet ./...
	GOOS=darwin $(GO) vet ./...
	$(GO) tool staticcheck ./...

# One package after the other: the scenarios want the machine for themselves.
test: servers ## Run the tests
	$(GO) test -timeout 30m -p 1 ./...

# The tests of the command are left out: what they run are processes of their own.
race: servers ## Run the tests of every room with the race detector
	$(GO) test -timeout 30m -race $$($(GO) list ./... | grep -v '^brownout$$')

bench: servers build ## Run the scenarios tagged bench, judge them, write run folders to results/runs
	bin/brownout run --tag bench --again 2

bench-full: servers build ## The same for the scenarios tagged full, which bench leaves out
	bin/brownout run --tag full --again 2

prove: servers ## Run the harness against servers with known defects, all of them; takes about half an hour
	$(GO) build -buildvcs=true -o bin/brownout . # a proof names its commit
	bin/brownout prove --twins --repeats 3

prove-fast: servers build ## The same for a few of them
	bin/brownout prove --fast --again 4

benchmark: servers ## Measure reads of the reference server beside a constant handler (Go benchmark format)
	$(GO) test -timeout 30m -run '^$$' -bench '^BenchmarkReads$$' -benchtime 2000x ./server

# Without a timeout: it lasts as long as it is told to.
soak: servers ## Let faults come and go under load for ten minutes, see what the reference server holds afterwards
	SOAK=$(SOAK) $(GO) test -timeout 0 -count 1 -v -run '^TestFaultsThatComeAndGoLeaveNothingBehind$$' ./server

.PHONY: help build servers valkey lint test race bench bench-full prove prove-fast benchmark soak
