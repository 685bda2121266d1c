/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CONFIG_I_H
#define TD_CONFIG_I_H

#include "node/api/config.h"

/* Inside the manager of the configuration: config.c decides what runs,
 * config_propose.c brings a generation into the cluster, config_change.c
 * makes one, config_verbs.c and config_edit.c are asked for one,
 * config_tables.c finds one in the database, config_diff.c compares,
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
struct config_tables;
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
	struct config_tables *tables;	/* NULL: no store */
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
/* Nodes in sync that come before this one. */
unsigned int config_rank(const struct td_config *c);
int config_generation_copy(struct td_generation *to,
			   const struct td_generation *from);

/* What is to become a generation. */
struct config_want {
	struct td_control_req *req;	/* answered in the end; NULL: nobody
					 * asked, an edit of the tables */
	char *content;		/* taken over */
	size_t n;
	const char *author, *comment;
	struct td_site *site;	/* the same parsed, for the tables; taken
				 * over. NULL: it was made of them */
	uint64_t serial;	/* with site NULL: the edit */
	bool edit;	/* made from what runs: nothing newer may be stored */
	bool force;		/* drops edits that pend */
	json_t *result;		/* goes into the answer besides "generation";
				 * taken over, NULL for none */
};
void config_change_start(struct td_config *c, const struct config_want *want);
/* @return NULL: a change can begin; else what is in the way */
const char *config_obstacle(const struct td_config *c);

/* The canonical text of a site, and that it passes as a document, too.
 * @return 0; -EINVAL: *p says why; -ENOMEM */
int config_text(const struct td_site *s, char **text, size_t *n,
		struct td_problems *p);

/* The store's tables: an edit there becomes a generation or is refused, and
 * tables that are behind what runs are brought to it. */
int config_tables_new(struct td_config *c, struct config_tables **out);
void config_tables_stop(struct config_tables *t);
void config_tables_free(struct config_tables *t);
json_t *config_tables_dump(const struct config_tables *t);
/* Something may have changed: look soon.
 * @param later what was tried failed: not at once */
void config_tables_look(struct config_tables *t, bool later);

/* `config check' without a file. */
void config_tables_check(struct td_config *c, struct td_control_req *req);
/* What a site holds, by count. */
json_t *config_summary(const struct td_site *s);

int config_verbs_register(struct td_config *c);
int config_tables_register(struct td_config *c);
int config_rollback_register(struct td_config *c);
int config_diff_register(struct td_config *c);
int config_edit_register(struct td_config *c);
/* "42". @return 0, -EINVAL: no number, *out is untouched */
int config_number(const char *text, unsigned long long *out);
/* Answers: no database is configured, or it cannot be reached. */
void config_no_store(struct td_config *c, struct td_control_req *req);
/* Parses a stored generation; complains to the log if it does not pass. */
int config_parse(const struct td_generation *g, struct td_site **site);

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
/* As td_config_effect. */
int config_contacts_effect(struct config_contacts *k, td_effect_fn fn,
			   void *arg);
json_t *config_contacts_dump(const struct config_contacts *k);

#endif
