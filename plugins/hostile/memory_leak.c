/* Takes memory until there is none; the box keeps it below its allowance. */
#include <stdlib.h>
/* How many MiB it gets. One byte of each is touched: the allowance is of addresses, and a busy machine that had to find a
 * page for each of them would take longer than a call to this driver may. */
static int leak(void) {
    int got = 0;
    for (volatile char *page; got < 4096 && (page = malloc(1 << 20)) != NULL; got++) *page = 1;
    return got;
}
#define ON_OPEN return refused_as_it_should(leak() < 256, cmd_id)
#include "hostile.h"
