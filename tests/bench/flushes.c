/* fsync and fdatasync as on a slower disk: the real flush, then FLUSH_SLEEP_US microseconds more, asleep.
   Each call is counted in the first eight bytes of the file FLUSH_COUNT. Loaded before libc by LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static long sleep_us;
static uint64_t *count;

__attribute__((constructor)) static void begin(void) {
    const char *text = getenv("FLUSH_SLEEP_US"), *path = getenv("FLUSH_COUNT");
    sleep_us = text ? atol(text) : 0;
    int file = path ? open(path, O_RDWR) : -1;
    if (file >= 0) {
        void *found = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        count = found == MAP_FAILED ? NULL : found;
        close(file);
    }
}

static int after(int result) {
    int kept = errno;
    struct timespec left = {sleep_us / 1000000, sleep_us % 1000000 * 1000};
    if (count) __atomic_add_fetch(count, 1, __ATOMIC_RELAXED);
    while (sleep_us && nanosleep(&left, &left) && errno == EINTR) {}
    errno = kept;
    return result;
}

int fsync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return after(real(file));
}

int fdatasync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    return after(real(file));
}
