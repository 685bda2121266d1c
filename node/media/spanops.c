// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/media/spanops.h"

const struct td_media_span_ops td_media_span = {
	.ports = td_card_ports,
	.port = td_card_port,
	.wake_fd = td_card_wake_fd,
	.wake_every = td_card_wake_every,
	.wake_clear = td_card_wake_clear,
	.position = td_port_position,
	.rx = td_port_rx,
	.tx_open = td_port_tx_open,
	.tx_close = td_port_tx_close,
	.tx = td_port_tx,
	.xconn = td_port_xconn,
	.xconn_off = td_port_xconn_off,
};
