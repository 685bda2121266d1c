/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_VERSION_H
#define TD_VERSION_H

#define TD_VERSION "0.1"

#endif
