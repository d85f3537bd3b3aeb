/* Takes memory until there is none; the box keeps it below its allowance. */
#include <stdlib.h>
#include <string.h>
/* How many MiB it gets. */
static int leak(void) {
    int got = 0;
    for (char *page; got < 4096 && (page = malloc(1 << 20)) != NULL; got++) memset(page, 1, 1 << 20);
    return got;
}
#define ON_OPEN return refused_as_it_should(leak() < 256, cmd_id)
#include "hostile.h"
