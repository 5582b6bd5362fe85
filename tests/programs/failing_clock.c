/* For LD_PRELOAD: after the signal SIGRTMIN, the clock fails once. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t fails;

static void fail(int signal)
{
    fails = 1;
}

__attribute__((constructor)) static void prepare(void)
{
    signal(SIGRTMIN, fail);
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    if (fails) {
        fails = 0;
        errno = EINVAL;
        return -1;
    }
    return syscall(SYS_clock_gettime, clock, time);
}
