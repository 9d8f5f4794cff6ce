/* Faults of a disk, for a process that is started with this in LD_PRELOAD.
 *
 * FAULT_DIR    a folder of switches: while `enospc` is there writes to databases fail with ENOSPC,
 *              while `eio` is there writes and syncs fail with EIO; while `lies` is there a sync
 *              succeeds and keeps nothing; while `hold` is there syncs do not return.
 *              `eio-once` fails one write and goes.
 *              A file `clock` there holds seconds by which the wall clock is ahead.
 * FAULT_SYNCED a folder that gets a copy of each database file at its sync: what a power cut leaves.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t copying = PTHREAD_MUTEX_INITIALIZER;

static int is_on(const char *name) {
    const char *dir = getenv("FAULT_DIR");
    char path[4096];
    if (!dir) return 0;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

/* Whether it was this thread that turned the switch off. */
static int turn_off(const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", getenv("FAULT_DIR"), name);
    return unlink(path) == 0;
}

/* The name of a database file behind a descriptor, or NULL. */
static const char *database(int fd, char *path, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    if (length <= 0) return NULL;
    path[length] = 0;
    return strstr(path, ".db") && !strstr(path, "-shm") ? path : NULL;
}

static int keep(int fd, const char *path) {
    const char *dir = getenv("FAULT_SYNCED");
    char to[4096], temporary[4200], buffer[65536];
    if (!dir || is_on("lies")) return 0;
    const char *name = strrchr(path, '/');
    snprintf(to, sizeof to, "%s%s", dir, name);
    snprintf(temporary, sizeof temporary, "%s.new", to);
    pthread_mutex_lock(&copying);
    int out = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ssize_t (*real_write)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    off_t at = 0;
    ssize_t got = 0;
    while (out >= 0 && (got = pread(fd, buffer, sizeof buffer, at)) > 0) {
        if (real_write(out, buffer, (size_t)got) != got) break;
        at += got;
    }
    if (out >= 0) close(out);
    int kept = out < 0 ? -1 : rename(temporary, to);
    pthread_mutex_unlock(&copying);
    return kept;
}

static int fails(int fd) {
    char path[4096];
    if (!database(fd, path, sizeof path)) return 0;
    if (is_on("enospc")) return ENOSPC;
    if (is_on("eio")) return EIO;
    if (is_on("eio-once") && turn_off("eio-once")) return EIO;
    return 0;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
    int code = fails(fd);
    if (code) { errno = code; return -1; }
    return real(fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    return pwrite64(fd, bytes, count, at);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, time);
    const char *dir = getenv("FAULT_DIR");
    char path[4096], text[32] = "";
    if (clock != CLOCK_REALTIME || result || !dir) return result;
    snprintf(path, sizeof path, "%s/clock", dir);
    int in = open(path, O_RDONLY | O_CLOEXEC);
    if (in < 0) return result;
    if (read(in, text, sizeof text - 1) > 0) time->tv_sec += atoll(text);
    close(in);
    return result;
}

static int sync_with(const char *name, int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, name);
    char path[4096];
    const char *file = database(fd, path, sizeof path);
    while (file && is_on("hold")) usleep(1000);
    if (file && is_on("eio")) { errno = EIO; return -1; }
    if (file) return keep(fd, file);
    return real(fd);
}

int fsync(int fd) { return sync_with("fsync", fd); }
int fdatasync(int fd) { return sync_with("fdatasync", fd); }
