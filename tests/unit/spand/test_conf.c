// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spanctl/spand/conf.h"

/* @return status; *said gets the messages, the file's name taken off */
static int load(const char *text, struct td_spand_conf *conf, char **said)
{
	char path[] = "/tmp/td-spand-conf.XXXXXX";
	size_t n = 0, size;
	char *all = NULL, *at;
	FILE *err;
	int fd = mkstemp(path), rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	err = open_memstream(&all, &size);
	rc = td_spand_conf_load(path, err, conf);
	fclose(err);
	unlink(path);
	while ((at = strstr(all, path))) {
		n = strlen(path);
		memmove(at, at + n, strlen(at + n) + 1);
	}
	*said = all;
	return rc;
}

static void a_whole_file_is_read(void **state)
{
	static const char text[] =
		"# a card\n"
		"socket /run/tandem/span.sock\n"
		"\n"
		"port 2 local [::1]:21402 peer [::2]:21402 window 8 idle 54\n"
		"realtime no   # for now\n"
		"port 1 local 10.77.0.1:21401 peer 10.77.0.201:21401"
		" los_ms 250\n";
	struct td_spand_conf c;
	struct sockaddr_in *sa = (void *)&c.port[0].peer;
	char *said;

	assert_int_equal(load(text, &c, &said), 0);
	assert_string_equal(said, "");
	free(said);
	assert_string_equal(c.socket, "/run/tandem/span.sock");
	assert_false(c.realtime);
	assert_int_equal(c.n_ports, 2);
	assert_int_equal(sa->sin_family, AF_INET);
	assert_int_equal(sa->sin_port, htons(21401));
	assert_int_equal(sa->sin_addr.s_addr, inet_addr("10.77.0.201"));
	assert_int_equal(c.port[0].idle, 0xd5);
	assert_int_equal(c.port[0].window, 4);
	assert_int_equal(c.port[0].los_ms, 250);
	assert_int_equal(c.port[1].peer.ss_family, AF_INET6);
	assert_int_equal(c.port[1].idle, 0x54);
	assert_int_equal(c.port[1].window, 8);
	assert_int_equal(c.port[1].los_ms, 100);
}

#define SOCK "socket /s\n"
#define PORT1 "port 1 local 1.1.1.1:1 peer 1.1.1.2:1\n"

static void every_mistake_is_told_with_its_line(void **state)
{
	static const struct { const char *text, *said; } t[] = {
		{ SOCK PORT1 "prot 2\nspeed 5\n",
		  ":3: unknown setting 'prot'\n:4: unknown setting 'speed'\n" },
		{ PORT1, ":1: no line 'socket PATH'\n" },
		{ SOCK, ":1: no line 'port …'\n" },
		{ SOCK SOCK PORT1, ":2: socket is there already\n" },
		{ SOCK PORT1 PORT1, ":3: port 1 is there already\n" },
		{ SOCK "port 2 local 1.1.1.1:1 peer 1.1.1.2:1\n",
		  ":2: ports must be 1, 2, … without a hole\n" },
		{ SOCK PORT1 "port 2 local 1.1.1.1:1 peer 1.1.1.2:2\n",
		  ":3: port 2: same local address as port 1\n" },
		{ SOCK "port 9 local 1.1.1.1:1\n",
		  ":2: port: a number from 1 to 8 is needed\n"
		  ":2: no line 'port …'\n" },
		{ SOCK "port 1 local 1.1.1.1 peer host:5\n",
		  ":2: local: '1.1.1.1' is not ADDRESS:PORT\n"
		  ":2: peer: 'host:5' is not ADDRESS:PORT\n" },
		{ SOCK "port 1 local 1.1.1.1:1\n",
		  ":2: port 1: local and peer are needed\n" },
		{ SOCK "port 1 local 1.1.1.1:1 peer [::1]:1\n",
		  ":2: port 1: local and peer are IPv4 and IPv6\n" },
		{ SOCK "port 1 local 1.1.1.1:1 peer 1.1.1.2:1 idle 1d5"
		  " window 9 los_ms 5 color red\n",
		  ":2: idle: '1d5' is not an octet (hex)\n"
		  ":2: window: '9' is not 1 to 8\n"
		  ":2: los_ms: '5' is not 10 to 10000\n"
		  ":2: unknown port setting 'color'\n" },
		{ SOCK "port 1 local 1.1.1.1:1 peer\n",
		  ":2: 'peer' needs a value\n" },
		{ SOCK PORT1 "realtime maybe\n", ":3: realtime: yes or no\n" },
	};
	struct td_spand_conf c;
	char *said;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		memset(&c, 0x5a, sizeof(c));
		assert_int_equal(load(t[i].text, &c, &said), -EINVAL);
		assert_string_equal(said, t[i].said);
		assert_int_equal(c.n_ports, 0x5a5a5a5a);	/* untouched */
		free(said);
	}
}

static void lines_of_any_length_and_a_missing_file_are_told(void **state)
{
	char text[2000], *said;
	struct td_spand_conf c;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(load(text, &c, &said), -EINVAL);
	assert_non_null(strstr(said, ":1: line is too long\n"));
	free(said);
	for (int i = 0; i < 198; i++)
		text[i] = i % 2 ? ' ' : 'x';
	text[198] = '\0';
	assert_int_equal(load(text, &c, &said), -EINVAL);
	assert_non_null(strstr(said, ":1: too many words\n"));
	free(said);
	assert_int_equal(td_spand_conf_load("/nonexistent/x", stderr, &c),
			 -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file_is_read),
		cmocka_unit_test(every_mistake_is_told_with_its_line),
		cmocka_unit_test(
			lines_of_any_length_and_a_missing_file_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
