/* SPDX-License-Identifier: BSD-3-Clause */
/* Boot records. Whatever the parser takes is printed and read again as the same. */
#include <errno.h>

#include "lib/boot/boot.h"
#include "test/fuzz/fuzz.h"

static struct bh_boot first, second;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void
check_again(void)
{
	char why[256] = "", *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	FUZZ_CHECK(out != NULL);
	FUZZ_CHECK(bh_boot_check(&first, why, sizeof(why)) == 0);
	FUZZ_CHECK(bh_boot_print(out, &first) == 0);
	fclose(out);
	FUZZ_CHECK(bh_boot_parse(text, len, &second, why, sizeof(why)) == 0);
	FUZZ_CHECK(memcmp(&first, &second, sizeof(first)) == 0);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[256] = "", *text = malloc(size > 0 ? size : 1);
	int rc;

	FUZZ_CHECK(text != NULL);
	memcpy(text, data, size);
	rc = bh_boot_parse(text, size, &first, why, sizeof(why));
	FUZZ_CHECK(rc == 0 || (rc == -EINVAL && why[0] != '\0'));
	free(text);
	if (rc == 0)
		check_again();
	return 0;
}
