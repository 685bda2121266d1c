// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "proto/base/loop.h"
#include "proto/base/queue.h"

struct ctx {
	struct td_loop *loop;
	struct td_timer a, b, end;
	struct td_queue *q;
	int order, a_at, b_at, got;
};

static void stop(void *arg)
{
	td_loop_stop(((struct ctx *)arg)->loop);
}

static void on_a(void *arg)
{
	struct ctx *c = arg;

	c->a_at = ++c->order;
}

static void on_b(void *arg)
{
	struct ctx *c = arg;

	c->b_at = ++c->order;
}

static void timers_fire_once_in_order_and_a_stopped_one_never(void **state)
{
	struct ctx c = { 0 };
	struct td_timer never = { 0 };

	assert_int_equal(td_loop_new(&c.loop), 0);
	td_timer_start(c.loop, &c.b, 20, on_b, &c);
	td_timer_start(c.loop, &c.a, 500, on_a, &c);
	td_timer_start(c.loop, &c.a, 5, on_a, &c);	/* moved */
	td_timer_start(c.loop, &never, 10, on_a, &c);
	td_timer_stop(&never);
	td_timer_start(c.loop, &c.end, 60, stop, &c);
	td_loop_run(c.loop);
	assert_int_equal(c.a_at, 1);
	assert_int_equal(c.b_at, 2);
	assert_int_equal(c.order, 2);
	td_loop_free(c.loop);
}

static void on_queue(void *arg, int fd, int revents)
{
	struct ctx *c = arg;

	while (td_queue_get(c->q))
		c->got++;
	/* a handler may remove its own watch */
	td_loop_fd_del(c->loop, fd);
	td_loop_stop(c->loop);
}

static void a_queue_wakes_the_loop_and_refuses_when_full(void **state)
{
	struct ctx c = { 0 };
	int x;

	assert_int_equal(td_loop_new(&c.loop), 0);
	assert_int_equal(td_queue_new(3, &c.q), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(td_queue_put(c.q, &x), 0);
	assert_int_equal(td_queue_put(c.q, &x), -ENOSPC);
	assert_int_equal(td_queue_refused(c.q), 1);
	assert_int_equal(td_loop_fd_add(c.loop, td_queue_fd(c.q), POLLIN,
					on_queue, &c), 0);
	assert_int_equal(td_loop_fd_add(c.loop, td_queue_fd(c.q), POLLIN,
					on_queue, &c), -EEXIST);
	td_loop_run(c.loop);
	assert_int_equal(c.got, 3);
	assert_null(td_queue_get(c.q));
	td_queue_free(c.q);
	td_loop_free(c.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			timers_fire_once_in_order_and_a_stopped_one_never),
		cmocka_unit_test(a_queue_wakes_the_loop_and_refuses_when_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
