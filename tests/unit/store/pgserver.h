/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_PGSERVER_H
#define TEST_PGSERVER_H

#include <ftw.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* A real PostgreSQL server of the test's own: a private directory, its unix
 * socket only. Role tandem owns the database postgres. */

#define PG_BIN "/usr/lib/postgresql/15/bin/"

struct pgserver {
	char dir[64], data[80], uri[160];
	pid_t pid;
};

static inline void pg_become_postgres(void)
{
	struct passwd *pw = getuid() ? NULL : getpwnam("postgres");

	if (pw && (setgid(pw->pw_gid) || setuid(pw->pw_uid)))
		_exit(126);
	/* the server ends with the test, however that ends */
	prctl(PR_SET_PDEATHSIG, SIGQUIT);
}

static inline pid_t pg_spawn(const char *const *argv)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (!freopen("/dev/null", "w", stdout) ||
	    !freopen("/dev/null", "w", stderr))
		_exit(127);
	pg_become_postgres();
	execv(argv[0], (char *const *)argv);
	_exit(127);
}

static inline void pg_start(struct pgserver *p)
{
	const char *const argv[] = { PG_BIN "postgres", "-D", p->data, "-k",
				     p->dir, "-c", "listen_addresses=", "-c",
				     "fsync=off", "-c", "max_connections=16",
				     "-c", "shared_buffers=1MB", NULL };

	p->pid = pg_spawn(argv);
	assert_true(p->pid > 0);
}

static inline void pg_stop(struct pgserver *p)
{
	if (p->pid <= 0)
		return;
	kill(p->pid, SIGQUIT);
	waitpid(p->pid, NULL, 0);
	p->pid = 0;
}

/* The directory, without a server in it yet. */
static inline void pg_init(struct pgserver *p)
{
	struct passwd *pw = getpwnam("postgres");
	int st;

	strcpy(p->dir, "/tmp/td-pg-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	if (!getuid())
		assert_int_equal(chown(p->dir, pw->pw_uid, pw->pw_gid), 0);
	snprintf(p->data, sizeof(p->data), "%s/data", p->dir);
	snprintf(p->uri, sizeof(p->uri),
		 "postgresql://tandem@/postgres?host=%s", p->dir);
	{
		const char *const initdb[] = {
			PG_BIN "initdb", "-D", p->data, "-A", "trust", "-U",
			"tandem", "-E", "UTF8", "--locale=C", "--no-sync", NULL
		};

		assert_true(waitpid(pg_spawn(initdb), &st, 0) > 0);
	}
	assert_int_equal(st, 0);
}

static inline int pg_unlink(const char *path, const struct stat *st, int kind,
			    struct FTW *ftw)
{
	return remove(path);
}

static inline void pg_remove(struct pgserver *p)
{
	pg_stop(p);
	if (*p->dir)
		nftw(p->dir, pg_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

/* What psql prints for a statement, up to size - 1 octets; its exit status. A
 * statement that waits for a lock gives up after 20 s. */
static inline int pg_psql(const struct pgserver *p, const char *sql, char *out,
			  size_t size)
{
	char cmd[4096];
	size_t n;
	FILE *f;

	snprintf(cmd, sizeof(cmd),
		 "PGOPTIONS='-c lock_timeout=20s' " PG_BIN
		 "psql -qAtX -v ON_ERROR_STOP=1 -h %s -U tandem postgres 2>&1 "
		 "<<'END'\n%s\nEND", p->dir, sql);
	f = popen(cmd, "r");
	assert_non_null(f);
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	while (n && out[n - 1] == '\n')
		out[--n] = '\0';
	return WEXITSTATUS(pclose(f));
}

#endif
