/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: seed.h. */
#include "seed.h"

#include "../../netd/util.h"

#include <setjmp.h>
#include <time.h>

#include <cmocka.h>

int seed_setup(void **state _unused_)
{
	unsigned seed = getenv("SEED") ? (unsigned)atoi(getenv("SEED")) : (unsigned)time(NULL);

	print_message("seed %u (SEED=%u repeats)\n", seed, seed);
	srandom(seed);
	return 0;
}
