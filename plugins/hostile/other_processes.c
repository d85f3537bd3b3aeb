/* Reaches for the box: signals, memory, limits, and the sockets of the machine. */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
static int reach(void) {
    pid_t box = getppid();
    char byte;
    struct iovec here = {&byte, 1}, there = {(void *)0x400000, 1};
    struct rlimit none = {0, 0};
    int pair[2];
    return kill(box, SIGKILL) < 0 && kill(-1, SIGKILL) < 0 && ptrace(PTRACE_ATTACH, box, 0, 0) < 0 &&
           process_vm_readv(box, &here, 1, &there, 1, 0) < 0 && prlimit(box, RLIMIT_NOFILE, &none, NULL) < 0 &&
           setpriority(PRIO_PROCESS, (id_t)box, 19) < 0 && prctl(PR_SET_PDEATHSIG, 0) < 0 &&
           socket(AF_UNIX, SOCK_STREAM, 0) < 0 && socket(AF_UNIX, SOCK_DGRAM, 0) < 0 &&
           socket(AF_PACKET, SOCK_RAW, 0) < 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0 &&
           shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600) < 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 &&
           socket(AF_INET, SOCK_STREAM, 0) >= 0 && fcntl(pair[0], F_SETOWN, box) < 0;
}
#define ON_OPEN return refused_as_it_should(reach(), cmd_id)
#include "hostile.h"
