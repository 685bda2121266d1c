/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CONFIG_I_H
#define TD_CONFIG_I_H

#include "node/api/config.h"

/* Inside the manager of the configuration: config.c decides what runs,
 * config_propose.c brings a generation into the cluster, config_change.c
 * makes one, config_verbs.c and config_edit.c are asked for one,
 * config_saver.c writes the disk, config_contacts.c keeps registrations. */

/* Brings gen into the cluster. status 0: the view has it as the running one;
 * -ECANCELED: no majority; -ESTALE: another generation was there first. */
typedef void (*config_proposed_fn)(void *arg, int status);

struct config_propose {
	bool busy;
	struct td_generation gen;
	config_proposed_fn fn;
	void *arg;
};

struct config_saver;
struct config_contacts;
struct config_change;

struct td_config {
	struct td_config_cfg cfg;
	struct td_generation gen;	/* running; content NULL: none */
	struct td_site *site, *before;
	uint64_t bad;			/* number that does not pass here */
	struct config_propose propose;
	struct td_timer propose_timer;
	struct td_generation newest;	/* of the store, content NULL: none */
	bool asking, ask_again;		/* the store for its newest */
	struct config_change *change;
	struct config_saver *saver;
	struct config_contacts *contacts;	/* NULL: not solo */
	bool started, ready;
	uint64_t switches, proposals, refused_bad;
};

int config_propose(struct td_config *c, const struct td_generation *gen,
		   config_proposed_fn fn, void *arg);
/* Looks at what the cluster runs and what this node knows, and acts. */
void config_reconcile(struct td_config *c);

/* Reads the store's newest generation, then reconciles. */
void config_ask_store(struct td_config *c);

bool config_has_secret(const struct td_generation *g);
int config_generation_copy(struct td_generation *to,
			   const struct td_generation *from);

/* A request becomes a generation; answers req in the end. content is taken
 * over. edit: made from the running site, so nothing newer may be stored.
 * @param result goes into the answer besides "generation"; taken over, NULL
 * for none */
void config_change_start(struct td_config *c, struct td_control_req *req,
			 char *content, size_t n, const char *comment,
			 json_t *result, bool edit);

int config_verbs_register(struct td_config *c);
int config_edit_register(struct td_config *c);

int config_saver_new(struct td_loop *loop, const char *dir,
		     struct config_saver **out);
void config_saver_free(struct config_saver *s);
/* The newest one counts: one that waits is replaced. */
void config_saver_put(struct config_saver *s, const struct td_generation *g);

/* fn once, when the stored registrations are in the view, or cannot be. */
int config_contacts_new(const struct td_config_cfg *cfg,
			void (*fn)(void *arg), void *arg,
			struct config_contacts **out);
void config_contacts_stop(struct config_contacts *k);
void config_contacts_free(struct config_contacts *k);
void config_contacts_applied(struct config_contacts *k, const Td__Op *op);
/* The store or the cluster changed its state. */
void config_contacts_state(struct config_contacts *k);
uint64_t config_contacts_owed(const struct config_contacts *k);

#endif
