// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "tests/sim/bugs.h"
#include "tests/sim/world.h"

/* tandem-sim: seeds on all processors, each in worlds of its own. Prints
 * TAP. */

enum { MAX_JOBS = 16, MAX_FOUND = 20, TWICE = 5 };

/* what a worker tells, in memory that is shared */
struct worker {
	pid_t pid;
	uint64_t now;		/* the seed it is at, if it dies */
	struct sim_cover cover;
	unsigned int n_found;
	uint64_t bug_seed[64];	/* + 1; 0: not found */
};
struct options {
	uint64_t seed, seeds;
	unsigned int jobs;
	int64_t minutes;
	bool trace, bugs, quick;
	uint64_t limit;
	const char *bug;
};

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* --- seeds --- */

static void work(struct worker *w, const struct options *o, unsigned int job)
{
	struct sim *s = sim_new();
	double end = seconds() + (double)o->minutes * 60;

	if (!s)
		exit(1);
	for (uint64_t i = job; i < o->seeds && w->n_found < MAX_FOUND;
	     i += o->jobs) {
		if (o->minutes && seconds() > end)
			break;
		w->now = o->seed + i;
		if (!sim_run(s, w->now)) {
			w->n_found++;
			printf("# SEED=%llu: %s\n",
			       (unsigned long long)w->now, s->why);
			fflush(stdout);
		}
	}
	w->cover = s->cover;
	sim_free(s);
	exit(0);
}

/* @return how many died */
static unsigned int run_jobs(struct worker *w, const struct options *o,
			     void (*fn)(struct worker *,
					const struct options *, unsigned int))
{
	unsigned int died = 0;

	fflush(stdout);
	for (unsigned int j = 0; j < o->jobs; j++) {
		w[j].pid = fork();
		if (!w[j].pid)
			fn(&w[j], o, j);
		if (w[j].pid < 0)
			exit(1);
	}
	for (unsigned int j = 0; j < o->jobs; j++) {
		int status = 0;

		waitpid(w[j].pid, &status, 0);
		if (!status)
			continue;
		died++;
		printf("# a worker died at seed %llu, status %x\n",
		       (unsigned long long)w[j].now, (unsigned int)status);
	}
	return died;
}

static unsigned int the_seeds(struct worker *w, const struct options *o)
{
	double start = seconds(), took;
	struct sim_cover sum = { 0 };
	unsigned int bad = run_jobs(w, o, work), missing;

	took = seconds() - start;
	for (unsigned int j = 0; j < o->jobs; j++) {
		sim_cover_add(&sum, &w[j].cover);
		bad += w[j].n_found;
	}
	printf("# %llu seeds from %llu in %.1f s, %.0f a second\n",
	       (unsigned long long)sum.seeds, (unsigned long long)o->seed,
	       took, (double)sum.seeds / took);
	missing = sim_cover_print(&sum);
	printf("%sok 1 - no violation in %llu seeds\n", bad ? "not " : "",
	       (unsigned long long)sum.seeds);
	if (bad)
		printf("# replay: make sim SEED=n SEEDS=1 TRACE=1\n");
	/* a handful of seeds cannot meet everything */
	if (o->seeds < 500) {
		printf("ok 2 - everything is covered # SKIP few seeds\n");
		return bad;
	}
	printf("%sok 2 - everything is covered\n", missing ? "not " : "");
	return bad + missing;
}

/* The same seed, the same story. */
static unsigned int the_same_twice(const struct options *o)
{
	struct sim *a = sim_new(), *b = sim_new();
	unsigned int bad = 0;

	if (!a || !b)
		exit(1);
	for (uint64_t i = 0; i < TWICE; i++)
		sim_run(a, o->seed + i + 1000);
	for (uint64_t i = 0; i < TWICE; i++) {
		sim_run(a, o->seed + i);
		sim_run(b, o->seed + i);
		if (a->digest != b->digest) {
			printf("# seed %llu differs from itself\n",
			       (unsigned long long)(o->seed + i));
			bad++;
		}
	}
	sim_free(a);
	sim_free(b);
	printf("%sok 3 - the same seed is the same story\n",
	       bad ? "not " : "");
	return bad;
}

/* --- deliberate bugs --- */

static bool meant(const struct options *o, const struct sim_bug_row *r)
{
	if (o->bug)
		return !strcmp(o->bug, r->name);
	return !o->quick || r->quick;
}

/* The first seed that fails with this bug and not without it; + 1, 0: none. */
static uint64_t first(struct worker *w, const struct options *o,
		      const struct sim_bug_row *r, struct sim *s,
		      struct sim *without)
{
	uint64_t most = o->limit ? o->limit : r->seeds ? r->seeds :
							 SIM_BUG_HUNT;

	for (uint64_t k = 0; k < most; k++) {
		w->now = o->seed + k;
		if (sim_run(s, w->now) || !sim_run(without, w->now))
			continue;
		printf("# %s: %s, seed %llu: %s\n", r->name, r->what,
		       (unsigned long long)w->now, s->why);
		fflush(stdout);
		return k + 1;
	}
	return 0;
}

static void hunt(struct worker *w, const struct options *o, unsigned int job)
{
	const struct sim_bug_row *r;
	unsigned int nth = 0;

	for (unsigned int i = 0; (r = sim_bug_row(i)); i++) {
		struct sim *s, *without;

		if (!meant(o, r) || nth++ % o->jobs != job)
			continue;
		s = sim_new();
		without = sim_new();
		if (!s || !without)
			exit(1);
		s->bugs[r->room] = 1ULL << r->bit;
		w->bug_seed[i] = first(w, o, r, s, without);
		sim_free(s);
		sim_free(without);
	}
	exit(0);
}

static bool tell_bug(const struct sim_bug_row *r, unsigned int n, uint64_t at)
{
	if (at)
		printf("ok %u - bug %s is found, seeds it took: %llu\n", n,
		       r->name, (unsigned long long)at);
	else if (!r->seeds)
		printf("ok %u - bug %s is found # SKIP not met with: other "
		       "rules stand before it\n", n, r->name);
	else
		printf("not ok %u - bug %s is found\n", n, r->name);
	return at || !r->seeds;
}

static unsigned int the_bugs(struct worker *w, const struct options *o)
{
	unsigned int bad = run_jobs(w, o, hunt), n = 0;
	const struct sim_bug_row *r;

	for (unsigned int i = 0; (r = sim_bug_row(i)); i++) {
		uint64_t at = 0;

		if (!meant(o, r))
			continue;
		for (unsigned int j = 0; j < o->jobs; j++)
			at |= w[j].bug_seed[i];
		bad += !tell_bug(r, ++n, at);
	}
	printf("1..%u\n", n);
	return bad;
}

/* --- options --- */

static int usage(void)
{
	fprintf(stderr,
		"usage: tandem-sim [--seed N] [--seeds N] [--minutes N] "
		"[--jobs N] [--trace]\n"
		"       tandem-sim --bugs[=quick] | --bug NAME "
		"[--limit SEEDS]\n");
	return 2;
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "seeds", required_argument, NULL, 'n' },
		{ "minutes", required_argument, NULL, 'm' },
		{ "jobs", required_argument, NULL, 'j' },
		{ "trace", no_argument, NULL, 't' },
		{ "bugs", optional_argument, NULL, 'B' },
		{ "bug", required_argument, NULL, 'b' },
		{ "limit", required_argument, NULL, 'l' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (c) {
		case 's': o->seed = strtoull(optarg, NULL, 0); break;
		case 'n': o->seeds = strtoull(optarg, NULL, 0); break;
		case 'm': o->minutes = strtoll(optarg, NULL, 0); break;
		case 'j': o->jobs = (unsigned int)atoi(optarg); break;
		case 't': o->trace = true; break;
		case 'B':
			o->bugs = true;
			o->quick = optarg && !strcmp(optarg, "quick");
			break;
		case 'b': o->bug = optarg; break;
		case 'l': o->limit = strtoull(optarg, NULL, 0); break;
		default: return -EINVAL;
		}
	}
	if (optind < argc || !o->jobs || o->jobs > MAX_JOBS || !o->seeds)
		return -EINVAL;
	return 0;
}

static unsigned int one_story(const struct options *o)
{
	struct sim *s = sim_new();
	const struct sim_bug_row *r;
	bool ok;

	if (!s)
		return 1;
	for (unsigned int i = 0; o->bug && (r = sim_bug_row(i)); i++)
		if (meant(o, r))
			s->bugs[r->room] = 1ULL << r->bit;
	s->trace = true;
	ok = sim_run(s, o->seed);
	printf("%sok 1 - seed %llu: %s\n", ok ? "" : "not ",
	       (unsigned long long)o->seed, ok ? "well" : s->why);
	sim_free(s);
	return !ok;
}

int main(int argc, char **argv)
{
	struct options o = { .seed = 1, .seeds = 1000, .jobs = 1 };
	struct worker *w;
	unsigned int bad;

	if (parse(argc, argv, &o))
		return usage();
	td_log_level_set((enum td_log_level)-1);
	if (o.trace)
		return one_story(&o) ? 1 : 0;
	w = mmap(NULL, o.jobs * sizeof(*w), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w == MAP_FAILED)
		return 1;
	if (o.bugs || o.bug) {
		bad = the_bugs(w, &o);
	} else {
		bad = the_seeds(w, &o);
		bad += the_same_twice(&o);
		printf("1..3\n");
	}
	return bad ? 1 : 0;
}
