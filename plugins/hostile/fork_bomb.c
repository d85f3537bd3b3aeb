/* Wants to become many processes, in every way there is. */
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
static int bomb(void) {
    char *const program[] = {(char *)"/bin/sh", NULL};
    for (int i = 0; i < 100; i++) {
        int child = fork();
        if (child == 0) for (;;) pause();
        if (child > 0 || errno != EPERM) return 0;
    }
    if (syscall(SYS_clone, 17, 0, 0, 0, 0) >= 0 || system("true") == 0) return 0;
    return syscall(SYS_clone3, 0, 0) < 0 && errno == ENOSYS && execv(program[0], program) < 0 && errno == EPERM;
}
#define ON_OPEN return refused_as_it_should(bomb(), cmd_id)
#include "hostile.h"
