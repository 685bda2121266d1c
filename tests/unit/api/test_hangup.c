// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/api/views.h"
#include "tests/unit/api/rig.h"
#include "tests/unit/solo.h"

static const char site_text[] =
	"site: {name: t, domain: tandem.lab}\n"
	"nodes: [{name: n1, id: 1, address: 10.77.0.1}]\n"
	"lines: []\nextensions: []\nroutes: []\n";

struct fix {
	struct solo solo;
	struct td_control *control;
	struct td_views *views;
	struct client client;
	char path[64];
	bool stubborn;			/* the call's far end says nothing */
	unsigned int asked;
};

static int on_hangup(void *arg, uint64_t id)
{
	struct fix *f = arg;
	Td__CallDel del = TD__CALL_DEL__INIT;
	Td__Op op = TD__OP__INIT;

	f->asked++;
	if (f->stubborn)
		return 0;
	del.id = id;
	del.node = 1;
	op.what_case = TD__OP__WHAT_CALL_DEL;
	op.call_del = &del;
	return td_cluster_submit(f->solo.cluster, &op);
}

static const struct td_site *on_site(void *arg)
{
	return ((struct fix *)arg)->solo.site;
}

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));
	struct td_views_cfg cfg = { .site = on_site, .hangup = on_hangup,
				    .arg = f };

	solo_start(&f->solo, site_text);
	snprintf(f->path, sizeof(f->path), "/tmp/td-hangup-%d.sock", getpid());
	assert_int_equal(td_control_new(f->solo.loop, f->path, NULL,
					&f->control), 0);
	cfg.loop = f->solo.loop;
	cfg.cluster = f->solo.cluster;
	assert_int_equal(td_views_new(f->control, &cfg, &f->views), 0);
	f->client.path = f->path;
	f->client.verb = "call hangup";
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	td_reply_free(f->client.reply);
	td_views_free(f->views);
	td_control_free(f->control);
	solo_end(&f->solo);
	free(f);
	return 0;
}

static void put_call(struct fix *f, uint64_t id)
{
	Td__Call c = TD__CALL__INIT;
	Td__Op op = TD__OP__INIT;

	c.id = id;
	c.node = 1;
	op.what_case = TD__OP__WHAT_CALL_PUT;
	op.call_put = &c;
	solo_submit(&f->solo, &op);
}

static Td__Reply *hang_up(struct fix *f, const char *what)
{
	f->client.args[0] = what;
	client_ask(f->solo.loop, &f->client);
	assert_int_equal(f->client.rc, 0);
	return f->client.reply;
}

static void a_call_that_goes_is_told_gone(void **state)
{
	struct fix *f = *state;
	Td__Reply *r;

	put_call(f, 0x11);
	put_call(f, 0x12);
	r = hang_up(f, "0000000000000011");
	assert_int_equal(r->status, 0);
	assert_string_equal(r->json, "{\"gone\":1,\"nodes\":1}");
	r = hang_up(f, "all");
	assert_int_equal(r->status, 0);
	assert_string_equal(r->json, "{\"gone\":1,\"nodes\":1}");
	r = hang_up(f, "all");
	assert_int_equal(r->status, 0);
	assert_string_equal(r->json, "{\"gone\":0,\"nodes\":0}");
	assert_int_equal(f->asked, 2);
}

static void a_call_that_stays_is_told_so_with_status_1(void **state)
{
	struct fix *f = *state;
	Td__Reply *r;

	put_call(f, 0x11);
	f->stubborn = true;
	r = hang_up(f, "11");
	assert_int_equal(r->status, 1);
	assert_string_equal(r->error, "1 of 1 call is still there 2000 ms "
			    "after 1 node was asked, such as "
			    "0000000000000011: a far end does not answer");
	assert_int_equal(f->asked, 1);
}

static void no_such_call_is_status_1_and_no_id_is_2(void **state)
{
	struct fix *f = *state;

	assert_int_equal(hang_up(f, "77")->status, 1);
	assert_int_equal(hang_up(f, "x")->status, 2);
	assert_int_equal(hang_up(f, "0")->status, 2);
	assert_int_equal(f->asked, 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_call_that_goes_is_told_gone),
		CASE(a_call_that_stays_is_told_so_with_status_1),
		CASE(no_such_call_is_status_1_and_no_id_is_2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
