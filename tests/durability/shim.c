/*
 * Preloaded into a server: writes down, in the order of time, when it was asked something, when it answered, and when
 * what it wrote to files was synced to disk. With SHIM_SYNC_MS every sync takes that much longer, as on a slow disk.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { ASKED = 1, ANSWERED = 2, SYNC_BEGINS = 3, SYNC_ENDS = 4 };

struct record {
  uint64_t nanoseconds;
  uint32_t kind;
  int32_t fd;
};

struct log {
  _Atomic uint64_t used;
  uint64_t padding;
  struct record records[];
};

static struct log *the_log;
static uint64_t capacity;
static long sync_milliseconds;

static ssize_t (*real_read)(int, void *, size_t);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);

static void find_real(void) {
  if (real_read) return;
  real_write = dlsym(RTLD_NEXT, "write");
  real_writev = dlsym(RTLD_NEXT, "writev");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_read = dlsym(RTLD_NEXT, "read");
}

__attribute__((constructor)) static void begin(void) {
  find_real();
  const char *delay = getenv("SHIM_SYNC_MS");
  if (delay) sync_milliseconds = atol(delay);
  const char *path = getenv("SHIM_LOG");
  if (!path) return;
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  off_t size = lseek(fd, 0, SEEK_END);
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (memory == MAP_FAILED) return;
  capacity = (size - sizeof(struct log)) / sizeof(struct record);
  the_log = memory;
}

static void note(enum kind kind, int fd) {
  if (!the_log) return;
  uint64_t index = atomic_fetch_add(&the_log->used, 1);
  if (index >= capacity) return;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  struct record *record = &the_log->records[index];
  record->nanoseconds = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
  record->kind = kind;
  record->fd = fd;
}

static int is_tcp(int fd) {
  int domain = 0;
  socklen_t length = sizeof domain;
  return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_INET;
}

/* Only answers to requests that change something: the load marks its own with PUT, and 2xx is what acknowledges. */
static void note_answer(int fd, const void *data, size_t length) {
  if (length > 10 && memcmp(data, "HTTP/1.1 2", 10) == 0 && is_tcp(fd)) note(ANSWERED, fd);
}

ssize_t read(int fd, void *data, size_t length) {
  find_real();
  ssize_t got = real_read(fd, data, length);
  if (the_log && got > 4 && memcmp(data, "PUT ", 4) == 0 && is_tcp(fd)) note(ASKED, fd);
  return got;
}

ssize_t write(int fd, const void *data, size_t length) {
  find_real();
  if (the_log) note_answer(fd, data, length);
  return real_write(fd, data, length);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  find_real();
  if (the_log && count > 0) note_answer(fd, parts[0].iov_base, parts[0].iov_len);
  return real_writev(fd, parts, count);
}

static int synced(int (*real)(int), int fd) {
  note(SYNC_BEGINS, fd);
  if (sync_milliseconds > 0) {
    struct timespec pause = {sync_milliseconds / 1000, (sync_milliseconds % 1000) * 1000000};
    nanosleep(&pause, NULL);
  }
  int result = real(fd);
  note(SYNC_ENDS, fd);
  return result;
}

int fsync(int fd) {
  find_real();
  return synced(real_fsync, fd);
}

int fdatasync(int fd) {
  find_real();
  return synced(real_fdatasync, fd);
}
