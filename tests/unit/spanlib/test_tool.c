// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanlib/rig.h"

#include "spanctl/core/hdlc.h"

/* spanctl as its user sees it: words in, text, JSON, files and an exit
 * status out. */

static int setup(void **state)
{
	static struct rig r;

	rig_start(&r);
	*state = &r;
	return 0;
}

static int teardown(void **state)
{
	rig_stop(*state);
	return 0;
}

/* @return its exit status; out gets what it wrote, to either stream */
static int tool(struct rig *r, const char *words, char *out, size_t size)
{
	char program[PATH_MAX], line[PATH_MAX + 512];
	size_t n = 0, k;
	int status;
	FILE *f;

	rig_program("spanctl", program);
	snprintf(line, sizeof(line), "%s --socket %s %s 2>&1", program,
		 r->sock, words);
	f = popen(line, "r");
	assert_non_null(f);
	while (n < size - 1 && (k = fread(out + n, 1, size - 1 - n, f)) > 0)
		n += k;
	out[n] = '\0';
	status = pclose(f);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define HAS(text, what)                                                        \
	do {                                                                   \
		if (!strstr(text, what))                                       \
			fail_msg("no '%s' in: %s", what, text);                \
	} while (0)

static void the_state_of_the_ports_is_shown(void **state)
{
	struct rig *r = *state;
	char out[16384];

	assert_int_equal(td_port_hdlc(r->port[2], 16), 0);
	rig_lease(r, 2, 77);
	for (int i = 0; i < 12; i++)
		rig_send(r, 2, (uint16_t)i);
	rig_dealt(r, 2, 12);
	assert_int_equal(tool(r, "list", out, sizeof(out)), 0);
	HAS(out, "LOS");
	HAS(out, " on  ");
	HAS(out, " 77 ");
	HAS(out, " 65548");
	assert_int_equal(tool(r, "--json list", out, sizeof(out)), 0);
	HAS(out, "\"LOS\"");
	HAS(out, "\"tx\": \"on\"");
	HAS(out, "\"epoch\": 77");
	assert_int_equal(tool(r, "show 2", out, sizeof(out)), 0);
	HAS(out, "timeslot 16");
	HAS(out, "epoch 77");
	HAS(out, "rx_packets                 12");
	assert_int_equal(tool(r, "show 1 --json", out, sizeof(out)), 0);
	HAS(out, "\"tx\": \"off\"");
	HAS(out, "\"rx_lost\": 0");
	assert_int_equal(tool(r, "counters", out, sizeof(out)), 0);
	HAS(out, "tx_packets                  0           12");
	assert_int_equal(tool(r, "counters 2", out, sizeof(out)), 0);
	HAS(out, "tx_packets                 12");
	assert_int_equal(tool(r, "counters --json", out, sizeof(out)), 0);
	HAS(out, "\"tx_packets\": 12");
}

static void tx_off_is_over_the_lease_and_on_gives_none(void **state)
{
	struct rig *r = *state;
	char out[4096];

	rig_lease(r, 1, 5);
	assert_int_equal(tool(r, "tx off 1", out, sizeof(out)), 0);
	HAS(out, "sends nothing");
	assert_false(rig_status(r, 1).tx_on);
	assert_int_equal(tool(r, "list", out, sizeof(out)), 0);
	HAS(out, "inhibited");
	assert_int_equal(tool(r, "tx on 1", out, sizeof(out)), 0);
	HAS(out, "epoch 5");
	assert_true(rig_status(r, 1).tx_on);
	assert_int_equal(tool(r, "tx on 2 --json", out, sizeof(out)), 0);
	HAS(out, "\"tx\": \"off\"");
	assert_false(rig_status(r, 2).tx_on);
}

static void mistakes_have_status_2_and_failures_1(void **state)
{
	static const char *const usage[] = {
		"", "nonsense", "show", "show 0", "show x", "show 9", "show 1 2",
		"tx 1", "tx on", "tx up 1", "list 1", "list -w x", "trace",
		"trace 1 --count 0", "trace 1 --count x", "--nonsense list",
	};
	struct rig *r = *state;
	char out[8192];

	for (size_t i = 0; i < sizeof(usage) / sizeof(usage[0]); i++) {
		assert_int_equal(tool(r, usage[i], out, sizeof(out)), 2);
		assert_true(strlen(out) > 10);
	}
	assert_int_equal(tool(r, "show 3", out, sizeof(out)), 1);
	HAS(out, "1 to 2");
	assert_int_equal(tool(r, "--socket /nonexistent list", out,
			      sizeof(out)), 1);
	HAS(out, "No such file");
	assert_int_equal(tool(r, "trace 1 -w /nonexistent/x --count 1", out,
			      sizeof(out)), 1);
	assert_int_equal(tool(r, "--help", out, sizeof(out)), 0);
	HAS(out, "trace PORT");
}

/* Frames of a real layer 2: the network's SABME and SETUP, our UA and RR. */
static void exchange_frames(struct rig *r)
{
	static const uint8_t in[2][16] = {
		{ 0x02, 0x01, 0x7f },
		{ 0x02, 0x01, 0x00, 0x00, 0x08, 0x02, 0x00, 0x01, 0x05, 0x04,
		  0x03, 0x90, 0x90, 0xa3 },
	};
	static const size_t n_in[2] = { 3, 14 };
	static const uint8_t out[2][4] = {
		{ 0x02, 0x01, 0x73 }, { 0x02, 0x01, 0x01, 0x02 },
	};
	static const size_t n_out[2] = { 3, 4 };
	uint8_t packet[RIG_PACKET];
	struct td_hdlc_tx tx;
	uint16_t seq = 0;

	td_hdlc_tx_init(&tx);
	for (int i = 0; i < 2; i++) {
		for (int k = 0; k < 8; k++) {
			if (k == 1)
				assert_int_equal(td_hdlc_tx_load(
					&tx, in[i], n_in[i]), 0);
			if (k == 5)
				assert_int_equal(td_port_hdlc_send(
					r->port[1], out[i], n_out[i]), 0);
			rig_packet(seq, packet);
			for (int f = 0; f < 8; f++)
				*rig_at(packet, f, 16) = td_hdlc_tx_octet(&tx);
			rig_send_raw(r, 1, packet, sizeof(packet));
			assert_int_equal(rig_answer(r, 1, packet), seq++);
		}
	}
}

struct trace {
	char out[4096];
	ssize_t n;
	pid_t pid;
	int fd;
};

static void trace_begin(struct rig *r, struct trace *t, const char *file)
{
	char program[PATH_MAX];
	int ends[2];

	rig_program("spanctl", program);
	assert_int_equal(pipe(ends), 0);
	t->pid = fork();
	assert_true(t->pid >= 0);
	if (!t->pid) {
		dup2(ends[1], 1);
		close(ends[0]);
		close(ends[1]);
		execl(program, program, "--socket", r->sock, "trace", "1",
		      "--count", "4", file ? "-w" : NULL, file, NULL);
		_exit(127);
	}
	close(ends[1]);
	t->fd = ends[0];
	/* its first words are written when it has its place in the ring */
	t->n = read(t->fd, t->out, 24);
	assert_true(t->n > 0);
}

static void trace_end(struct trace *t)
{
	ssize_t k;
	int status;

	while ((k = read(t->fd, t->out + t->n,
			 sizeof(t->out) - 1 - (size_t)t->n)) > 0)
		t->n += k;
	t->out[t->n] = '\0';
	close(t->fd);
	assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void begin_link(struct rig *r)
{
	assert_int_equal(td_port_hdlc(r->port[1], 16), 0);
	rig_lease(r, 1, 1);
}

static void a_trace_is_a_pcap_of_lapd_with_directions(void **state)
{
	struct rig *r = *state;
	const uint8_t *buf;
	struct trace t;
	size_t at = 24;
	static const struct {
		uint8_t type, n, last;
	} want[] = { { 0, 3, 0x7f }, { 4, 3, 0x73 }, { 0, 14, 0xa3 },
		     { 4, 4, 0x02 } };

	begin_link(r);
	trace_begin(r, &t, "-");
	exchange_frames(r);
	trace_end(&t);
	buf = (const uint8_t *)t.out;
	assert_int_equal(*(uint32_t *)buf, 0xa1b23c4d);
	assert_int_equal(*(uint32_t *)(buf + 20), 177);
	for (int i = 0; i < 4; i++) {
		uint32_t head[4];

		memcpy(head, buf + at, sizeof(head));
		assert_int_equal(head[2], 16 + want[i].n);
		assert_int_equal(head[3], head[2]);
		at += 16;
		assert_int_equal(buf[at + 1], want[i].type);
		assert_int_equal(buf[at + 15], 0x30);
		at += head[2];
		assert_int_equal(buf[at - 1], want[i].last);
	}
	assert_int_equal(at, t.n);
}

static void a_trace_without_a_file_is_text(void **state)
{
	struct rig *r = *state;
	struct trace t;

	begin_link(r);
	trace_begin(r, &t, NULL);
	exchange_frames(r);
	trace_end(&t);
	HAS(t.out, " rx  16 65537      02017f\n");
	HAS(t.out, " tx  16 65541      020173\n");
}

#define WITH_CARD(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CARD(the_state_of_the_ports_is_shown),
		WITH_CARD(tx_off_is_over_the_lease_and_on_gives_none),
		WITH_CARD(mistakes_have_status_2_and_failures_1),
		WITH_CARD(a_trace_is_a_pcap_of_lapd_with_directions),
		WITH_CARD(a_trace_without_a_file_is_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
