# SPDX-License-Identifier: GPL-2.0-or-later
"""The labs' test bench: a lab, instruments around it, TAP."""
