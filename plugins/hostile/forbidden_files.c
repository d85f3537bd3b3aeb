/* Opens, in its constructor, what is not its own; takes the box down in the test if one of them opens. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
static int kept_out = 1;
static void try_to(const char *path, int how) {
    if (open(path, how, 0600) >= 0) kept_out = 0;
}
static void look_around(void) {
    char path[64];
    const char *const own[] = {"mem", "environ", "maps", "fd/0", "cwd"};
    for (unsigned i = 0; i < sizeof own / sizeof *own; i++) {
        snprintf(path, sizeof path, "/proc/%d/%s", (int)getppid(), own[i]);
        try_to(path, O_RDONLY);
    }
    try_to("/etc/passwd", O_RDONLY), try_to("/etc/shadow", O_RDONLY), try_to("/etc/tollhouse", O_RDONLY);
    try_to("/", O_RDONLY), try_to("/tmp", O_RDONLY), try_to("/var/lib", O_RDONLY);
    try_to("/tmp/tollhouse-hostile", O_RDWR | O_CREAT), try_to("/dev/shm/tollhouse-hostile", O_RDWR | O_CREAT);
    try_to("/proc/sys/kernel/hostname", O_RDWR), try_to("/usr/lib/tollhouse-hostile", O_RDWR | O_CREAT);
    if (chmod("/tmp", 01777) == 0 || mkdir("/tmp/tollhouse-hostile.d", 0700) == 0) kept_out = 0;
}
#define ON_LOAD look_around()
#define ON_OPEN return refused_as_it_should(kept_out, cmd_id)
#include "hostile.h"
