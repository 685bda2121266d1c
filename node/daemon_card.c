// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "node/daemon_i.h"
#include "proto/base/log.h"

enum {
	CARD_RETRY_MS = 200,
	CARD_WAIT_MS = 10000,	/* then it goes on without lines */
};

static void on_card(void *arg, int fd, int revents);

/* The transmitters go off before anything else of the old card, and on after
 * all of the new one. */
static int use_card(struct td_daemon *d, struct td_card *card)
{
	struct td_card *old = d->card;
	int rc;

	td_units_set_card(d->units, NULL);
	rc = td_isdn_set_card(d->isdn, card);
	if (!rc)
		rc = td_media_set_card(d->media, card);
	if (rc) {
		td_isdn_set_card(d->isdn, old);
		return rc;
	}
	d->card = card;
	td_card_close(old);
	if (!card)
		return 0;
	td_units_set_card(d->units, card);
	return td_loop_fd_add(d->loop, td_card_fd(card), POLLIN, on_card, d);
}

static void again(struct td_daemon *d)
{
	d->card_waited_ms += CARD_RETRY_MS;
	td_timer_start(d->loop, &d->card_timer, CARD_RETRY_MS,
		       daemon_try_card, d);
}

static void on_card(void *arg, int fd, int revents)
{
	struct td_daemon *d = arg;

	td_loop_fd_del(d->loop, fd);
	td_err("main", "CARD-GONE", "the span card's process ended: the lines "
	       "are out of service until it is back, their calls wait");
	use_card(d, NULL);
	d->card_waited_ms = 0;
	again(d);
}

/* Opens the card; without one the node goes on after a while, without lines,
 * and takes it when it comes. */
void daemon_try_card(void *arg)
{
	struct td_daemon *d = arg;
	bool started = d->views != NULL;
	struct td_card *card;
	int rc = td_card_open(d->conf.card, TD_CARD_OWNER, &card);

	if (!rc && !started) {
		d->card = card;
		daemon_start_or_end(d);
		td_loop_fd_add(d->loop, td_card_fd(card), POLLIN, on_card, d);
		return;
	}
	if (!rc) {
		rc = use_card(d, card);
		if (!rc) {
			td_info("main", "card=%s is there: CARD-GONE is over",
				d->conf.card);
			return;
		}
		td_card_close(card);
	}
	if (d->card_waited_ms == 0)
		td_info("main", "card=%s is not there yet: %s", d->conf.card,
			strerror(-rc));
	again(d);
	if (!started && d->card_waited_ms >= CARD_WAIT_MS) {
		td_err("main", "CARD-MISSING", "card=%s: %s; going on without "
		       "lines until it comes", d->conf.card, strerror(-rc));
		daemon_start_or_end(d);
	}
}
