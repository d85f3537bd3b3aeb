/* Opens a file again and again, and closes none. */
#include <fcntl.h>
static int leak(void) {
    int got = 0;
    while (got < 100000 && open("/dev/null", O_RDONLY) >= 0) got++;
    return got;
}
#define ON_OPEN return refused_as_it_should(leak() < 256, cmd_id)
#include "hostile.h"
