# SPDX-License-Identifier: GPL-2.0-or-later
"""Seeded random and mutated packets of every kind that Tandem hears."""
