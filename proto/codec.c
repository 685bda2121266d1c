// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/td_codec.h"
