// Package loadtest puts load on a target: it sends requests when a schedule says
// so, whether or not earlier ones have been answered, and records what became of
// each as a results.Hit.
//
// The one idea: schedule and workload are pure. When hit n is due follows from the
// Schedule alone, what it asks from the Workload's seed and n alone. Only the
// Generator has a clock and a network, and being late does not move the schedule:
// a late hit is recorded as late, so that a stall of the target cannot hide in a
// generator that waited for it (coordinated omission). Vegeta does the sending.
// Its own latency starts when a worker picks a request up, and its quantiles are
// estimates; neither is used.
//
// What is not done here: the package knows nothing of faults, phases or verdicts.
// It computes no figures.
//
// Note: the operation of a hit was first drawn in Vegeta's Targeter, with a counter
// of its own. Vegeta calls the Targeter outside the critical section that gives out
// sequence numbers, so that now and then two hits swapped their operations. Now the
// transport works out the operation from the number that the request carries.
package loadtest
