/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_NODECONF_H
#define TD_NODECONF_H

#include <stdint.h>

#include "cluster/store/site.h"

/** /etc/tandem/node.yaml: what only this machine knows. Everything else is
 *  central (site.h).
 *
 *  node: n1
 *  id: 1
 *  role: node              # node | solo | witness
 *  address: 10.77.0.1
 *  cluster_address: 10.78.0.1
 *  state_dir: /var/lib/tandem            # default
 *  control: /run/tandem/control.sock     # default
 *  card: /run/tandem/span.sock           # default; "" none
 *  group: tandem                         # CPG group, default
 *  database: postgresql://tandem@10.77.0.5/tandem   # or sqlite:PATH
 *  log: info                             # error | warn | info | debug
 */
enum td_run_role { TD_RUN_NODE, TD_RUN_SOLO, TD_RUN_WITNESS };

struct td_nodeconf {
	char node[TD_NAME_MAX];
	uint32_t id;
	enum td_run_role role;
	char address[TD_ADDR_MAX], cluster_address[TD_ADDR_MAX];
	char state_dir[128], control[100], card[100], group[64];
	char database[256];
	char log[8];
};

/** @return 0; -ENOENT no such file; -EINVAL: *problems says why */
int td_nodeconf_load(const char *file, struct td_nodeconf *out,
		     struct td_problems *problems);

#endif
