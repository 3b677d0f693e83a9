# SPDX-License-Identifier: BSD-3-Clause
"""Scenario test harness: builds packets, drives testpmd and the real router binaries."""
