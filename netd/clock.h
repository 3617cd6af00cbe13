/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the clock that deadlines, leases and rates are counted by. The core is told the time and never asks. */
#pragma once

#include <stdint.h>
#include <time.h>

/* CLOCK_BOOTTIME in microseconds: goes on while the machine sleeps, and is of this boot. */
static inline uint64_t boottime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}
