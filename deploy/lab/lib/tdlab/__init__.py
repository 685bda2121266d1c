# SPDX-License-Identifier: GPL-2.0-or-later
"""tandem-lab: machines in network and mount namespaces on this one."""
