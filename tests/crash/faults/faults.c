/* Faults below the log: makes system calls on files of one directory fail, fall short or be slow.
 *
 * Preloaded into a process. FAULTS_DIRECTORY says which files are meant, FAULTS_CONTROL names a
 * file of a few numbers that both sides map; the test changes them while the process runs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { NONE, FAIL_WRITE, FAIL_SYNC, FULL_DISK, SHORT_WRITE, SLOW_SYNC, SHORT_READ };

struct control {
    int64_t kind;     /* one of the above */
    int64_t skip;     /* calls of this kind that still go well */
    int64_t once;     /* whether the fault ends after its first strike */
    int64_t delay_us; /* of a slow sync */
    int64_t strikes;  /* how often it struck; written here */
    int64_t calls;    /* writes and syncs on the directory; counted here */
};

static struct control *control;
static char directory[PATH_MAX];
static size_t directory_len;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULTS_CONTROL"), *meant = getenv("FAULTS_DIRECTORY");
    if (!path || !meant || !realpath(meant, directory)) return;
    directory_len = strlen(directory);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void *at = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (at != MAP_FAILED) control = at;
}

static int is_meant(int fd) {
    char name[64], path[PATH_MAX];
    if (!control) return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(name, path, sizeof path);
    return len > (ssize_t)directory_len && !memcmp(path, directory, directory_len);
}

/* Tell whether the fault strikes now. */
static int strikes(int fd, int64_t kind) {
    if (!control || control->kind != kind || !is_meant(fd)) return 0;
    if (__atomic_fetch_sub(&control->skip, 1, __ATOMIC_SEQ_CST) > 0) return 0;
    __atomic_fetch_add(&control->strikes, 1, __ATOMIC_SEQ_CST);
    if (control->once) control->kind = NONE;
    return 1;
}

static void count(int fd) {
    if (is_meant(fd)) __atomic_fetch_add(&control->calls, 1, __ATOMIC_SEQ_CST);
}

/* Return 0 to go on, -1 for a failure, 1 to write half. */
static int before_write(int fd) {
    int saved = errno;
    count(fd);
    int outcome = 0;
    if (strikes(fd, FAIL_WRITE)) { saved = EIO; outcome = -1; }
    else if (strikes(fd, FULL_DISK)) { saved = ENOSPC; outcome = -1; }
    else if (strikes(fd, SHORT_WRITE)) outcome = 1;
    errno = saved;
    return outcome;
}

static int before_sync(int fd) {
    int saved = errno;
    count(fd);
    int outcome = 0;
    if (strikes(fd, FAIL_SYNC)) { saved = EIO; outcome = -1; }
    else if (strikes(fd, SLOW_SYNC)) {
        struct timespec pause = {control->delay_us / 1000000, control->delay_us % 1000000 * 1000};
        nanosleep(&pause, NULL);
    }
    errno = saved;
    return outcome;
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t size) {
    REAL(write);
    int outcome = before_write(fd);
    return outcome < 0 ? -1 : real(fd, data, outcome && size > 1 ? size / 2 : size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    REAL(pwrite);
    int outcome = before_write(fd);
    return outcome < 0 ? -1 : real(fd, data, outcome && size > 1 ? size / 2 : size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    REAL(pwrite64);
    int outcome = before_write(fd);
    return outcome < 0 ? -1 : real(fd, data, outcome && size > 1 ? size / 2 : size, at);
}

ssize_t writev(int fd, const struct iovec *parts, int count_) {
    REAL(writev);
    int outcome = before_write(fd);
    return outcome < 0 ? -1 : real(fd, parts, outcome && count_ > 1 ? count_ / 2 : count_);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count_, off_t at) {
    REAL(pwritev);
    int outcome = before_write(fd);
    return outcome < 0 ? -1 : real(fd, parts, outcome && count_ > 1 ? count_ / 2 : count_, at);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count_, off64_t at) {
    REAL(pwritev64);
    int outcome = before_write(fd);
    return outcome < 0 ? -1 : real(fd, parts, outcome && count_ > 1 ? count_ / 2 : count_, at);
}

int fsync(int fd) {
    REAL(fsync);
    return before_sync(fd) < 0 ? -1 : real(fd);
}

int fdatasync(int fd) {
    REAL(fdatasync);
    return before_sync(fd) < 0 ? -1 : real(fd);
}

int posix_fallocate(int fd, off_t at, off_t size) {
    REAL(posix_fallocate);
    if (control && control->kind == FULL_DISK && is_meant(fd)) return ENOSPC;
    return real(fd, at, size);
}

int posix_fallocate64(int fd, off64_t at, off64_t size) {
    REAL(posix_fallocate64);
    if (control && control->kind == FULL_DISK && is_meant(fd)) return ENOSPC;
    return real(fd, at, size);
}

ssize_t read(int fd, void *data, size_t size) {
    REAL(read);
    return real(fd, data, size > 1 && strikes(fd, SHORT_READ) ? (size + 1) / 2 : size);
}

ssize_t pread64(int fd, void *data, size_t size, off64_t at) {
    REAL(pread64);
    return real(fd, data, size > 1 && strikes(fd, SHORT_READ) ? (size + 1) / 2 : size, at);
}
