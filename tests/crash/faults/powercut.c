/* Remembers what a loss of power would take back: everything that was not synced.
 *
 * Preloaded into a process. POWERCUT_DIRECTORY says which files are meant. Before such a file or a
 * name in such a directory is changed, what was there before is written into the journal in
 * POWERCUT_JOURNAL; a sync notes that the changes so far are safe. powercut.py takes back the rest.
 *
 * An entry is a head of seven numbers (kind, inode, where, size of the bytes, length of the two
 * names) and the names and bytes behind it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE = 1, SIZE, SYNC, CREATE, RENAME, UNLINK, SYNC_NAMES };

struct head {
    int64_t kind, inode, at, size, old_size, name_len, other_len;
};

static char directory[PATH_MAX], journal_path[PATH_MAX], graves[PATH_MAX];
static size_t directory_len;
static int journal = -1;
static pthread_mutex_t mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

#define REAL(name) static __typeof__(&name) real; if (!real) real = dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void) {
    const char *meant = getenv("POWERCUT_DIRECTORY"), *path = getenv("POWERCUT_JOURNAL");
    if (!meant || !path || !realpath(meant, directory)) return;
    directory_len = strlen(directory);
    snprintf(journal_path, sizeof journal_path, "%s/journal", path);
    snprintf(graves, sizeof graves, "%s/graves", path);
    journal = syscall(SYS_openat, AT_FDCWD, journal_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static int is_inside(const char *path) {
    return !strncmp(path, directory, directory_len) &&
           (path[directory_len] == '/' || !path[directory_len]);
}

static int path_of(int fd, char *path) {
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(name, path, PATH_MAX - 1);
    if (len <= 0) return 0;
    path[len] = 0;
    return is_inside(path);
}

/* The absolute path of a name that may not exist yet. */
static int path_at(int at, const char *name, char *path) {
    char folder[PATH_MAX] = "", copy[PATH_MAX], whole[PATH_MAX];
    if (name[0] != '/' && at != AT_FDCWD && !(snprintf(whole, 64, "/proc/self/fd/%d", at),
        readlink(whole, folder, sizeof folder - 1) > 0)) return 0;
    snprintf(whole, sizeof whole, "%s%s%s", folder, folder[0] ? "/" : "", name);
    strcpy(copy, whole);
    if (!realpath(dirname(copy), folder)) return 0;
    strcpy(copy, whole);
    snprintf(path, PATH_MAX, "%s/%s", folder, basename(copy));
    return is_inside(path);
}

static int64_t folder_of(const char *path) {
    char copy[PATH_MAX];
    struct stat found;
    strcpy(copy, path);
    return stat(dirname(copy), &found) ? 0 : (int64_t)found.st_ino;
}

static void note(struct head head, const char *name, const char *other, const void *data) {
    head.name_len = name ? strlen(name) : 0;
    head.other_len = other ? strlen(other) : 0;
    struct iovec parts[] = {
        {&head, sizeof head},
        {(void *)name, head.name_len},
        {(void *)other, head.other_len},
        {(void *)data, head.size},
    };
    if (syscall(SYS_writev, journal, parts, 4) < 0) abort();
}

/* Note what a write of so many bytes would change. at < 0: at the place of the descriptor. */
static void before_write(int fd, int64_t at, int64_t size) {
    char path[PATH_MAX];
    struct stat found;
    int flags = fcntl(fd, F_GETFL);
    if (journal < 0 || flags & O_DSYNC || !path_of(fd, path) || fstat(fd, &found)) return;
    if (!S_ISREG(found.st_mode)) return;
    if (at < 0) at = flags & O_APPEND ? found.st_size : lseek(fd, 0, SEEK_CUR);
    int64_t there = at >= found.st_size ? 0 : found.st_size - at < size ? found.st_size - at : size;
    char *old = malloc(there + 1);
    int reader = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (reader >= 0 && there > 0) there = syscall(SYS_pread64, reader, old, there, at);
    if (reader >= 0) syscall(SYS_close, reader);
    struct head head = {WRITE, found.st_ino, at, there > 0 ? there : 0, found.st_size, 0, 0};
    note(head, NULL, NULL, old);
    free(old);
}

static void before_size(int fd) {
    char path[PATH_MAX];
    struct stat found;
    if (journal < 0 || !path_of(fd, path) || fstat(fd, &found)) return;
    /* Whatever is cut off may come back. */
    char *old = malloc(found.st_size + 1);
    int64_t size = syscall(SYS_pread64, fd, old, found.st_size, 0);
    struct head head = {SIZE, found.st_ino, 0, size > 0 ? size : 0, found.st_size, 0, 0};
    note(head, NULL, NULL, old);
    free(old);
}

static void after_sync(int fd) {
    char path[PATH_MAX];
    struct stat found;
    if (journal < 0 || !path_of(fd, path) || fstat(fd, &found)) return;
    struct head head = {S_ISDIR(found.st_mode) ? SYNC_NAMES : SYNC, found.st_ino, 0, 0, 0, 0, 0};
    note(head, NULL, NULL, NULL);
}

/* Keep a second name of a file that is about to lose one. */
static void bury(const char *path, char *grave) {
    static int count;
    struct stat found;
    grave[0] = 0;
    if (lstat(path, &found) || !S_ISREG(found.st_mode)) return;
    snprintf(grave, PATH_MAX, "%s/%d-%d", graves, getpid(), __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST));
    if (syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, grave, 0)) grave[0] = 0;
}

static void before_create(const char *path) {
    struct stat found;
    if (journal < 0 || !lstat(path, &found)) return;
    struct head head = {CREATE, folder_of(path), 0, 0, 0, 0, 0};
    note(head, path, NULL, NULL);
}

static int open_at(int at, const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    pthread_mutex_lock(&mutex);
    if (journal >= 0 && flags & O_CREAT && path_at(at, name, path)) before_create(path);
    int fd = syscall(SYS_openat, at, name, flags, mode);
    int saved = errno;
    pthread_mutex_unlock(&mutex);
    errno = saved;
    return fd;
}

#define MODE(last) va_list rest; va_start(rest, last); mode_t mode = va_arg(rest, mode_t); va_end(rest)
int open(const char *name, int flags, ...) { MODE(flags); return open_at(AT_FDCWD, name, flags, mode); }
int open64(const char *name, int flags, ...) { MODE(flags); return open_at(AT_FDCWD, name, flags | O_LARGEFILE, mode); }
int openat(int at, const char *name, int flags, ...) { MODE(flags); return open_at(at, name, flags, mode); }
int openat64(int at, const char *name, int flags, ...) { MODE(flags); return open_at(at, name, flags | O_LARGEFILE, mode); }

#define AROUND(type, before, call, after)                                                          \
    pthread_mutex_lock(&mutex);                                                                    \
    before;                                                                                        \
    type outcome = call;                                                                           \
    int saved = errno;                                                                             \
    after;                                                                                         \
    pthread_mutex_unlock(&mutex);                                                                  \
    errno = saved;                                                                                 \
    return outcome

static int64_t sum(const struct iovec *parts, int count) {
    int64_t size = 0;
    for (int i = 0; i < count; i++) size += parts[i].iov_len;
    return size;
}

ssize_t write(int fd, const void *data, size_t size) {
    REAL(write);
    AROUND(ssize_t, before_write(fd, -1, size), real(fd, data, size), );
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    REAL(pwrite);
    AROUND(ssize_t, before_write(fd, at, size), real(fd, data, size, at), );
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    REAL(pwrite64);
    AROUND(ssize_t, before_write(fd, at, size), real(fd, data, size, at), );
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(writev);
    AROUND(ssize_t, before_write(fd, -1, sum(parts, count)), real(fd, parts, count), );
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
    REAL(pwritev);
    AROUND(ssize_t, before_write(fd, at, sum(parts, count)), real(fd, parts, count, at), );
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
    REAL(pwritev64);
    AROUND(ssize_t, before_write(fd, at, sum(parts, count)), real(fd, parts, count, at), );
}
int ftruncate(int fd, off_t size) {
    REAL(ftruncate);
    AROUND(int, before_size(fd), real(fd, size), );
}
int ftruncate64(int fd, off64_t size) {
    REAL(ftruncate64);
    AROUND(int, before_size(fd), real(fd, size), );
}
int fsync(int fd) {
    REAL(fsync);
    AROUND(int, , real(fd), if (!outcome) after_sync(fd));
}
int fdatasync(int fd) {
    REAL(fdatasync);
    AROUND(int, , real(fd), if (!outcome) after_sync(fd));
}

static int rename_at(int from_at, const char *from, int to_at, const char *to) {
    char old[PATH_MAX], new[PATH_MAX], grave[PATH_MAX] = "";
    pthread_mutex_lock(&mutex);
    if (journal >= 0 && path_at(from_at, from, old) && path_at(to_at, to, new)) {
        bury(new, grave);
        struct head head = {RENAME, folder_of(new), 0, strlen(grave), 0, 0, 0};
        note(head, old, new, grave);
    }
    int outcome = syscall(SYS_renameat2, from_at, from, to_at, to, 0), saved = errno;
    pthread_mutex_unlock(&mutex);
    errno = saved;
    return outcome;
}
int rename(const char *from, const char *to) { return rename_at(AT_FDCWD, from, AT_FDCWD, to); }
int renameat(int a, const char *from, int b, const char *to) { return rename_at(a, from, b, to); }

static int unlink_at(int at, const char *name, int flags) {
    char path[PATH_MAX], grave[PATH_MAX] = "";
    pthread_mutex_lock(&mutex);
    if (journal >= 0 && !(flags & AT_REMOVEDIR) && path_at(at, name, path)) {
        bury(path, grave);
        struct head head = {UNLINK, folder_of(path), 0, strlen(grave), 0, 0, 0};
        note(head, path, NULL, grave);
    }
    int outcome = syscall(SYS_unlinkat, at, name, flags), saved = errno;
    pthread_mutex_unlock(&mutex);
    errno = saved;
    return outcome;
}
int unlink(const char *name) { return unlink_at(AT_FDCWD, name, 0); }
int unlinkat(int at, const char *name, int flags) { return unlink_at(at, name, flags); }

static int made_at(int at, const char *name) {
    char path[PATH_MAX];
    if (journal >= 0 && path_at(at, name, path)) before_create(path);
    return 0;
}
int link(const char *from, const char *to) {
    AROUND(int, made_at(AT_FDCWD, to), syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0), );
}
int linkat(int a, const char *from, int b, const char *to, int flags) {
    AROUND(int, made_at(b, to), syscall(SYS_linkat, a, from, b, to, flags), );
}
int mkdir(const char *name, mode_t mode) {
    AROUND(int, made_at(AT_FDCWD, name), syscall(SYS_mkdirat, AT_FDCWD, name, mode), );
}
int mkdirat(int at, const char *name, mode_t mode) {
    AROUND(int, made_at(at, name), syscall(SYS_mkdirat, at, name, mode), );
}
