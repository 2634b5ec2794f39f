// A disk and a clock that fail as they are told, for an unmodified program that is started with this file preloaded.
//
// Stands before the C library's calls that reach a disk. What happens to them is read from a page that the test maps as well
// (OFFICEOS_DISK names it; tests/support/disk.rs has the other side and the layout): files may grow by `room` octets more and
// no further, as write(2), fallocate(2) and open(2) say of a full device (ENOSPC, after a short write where some fits) and
// statvfs(3) of its free blocks; what is deleted or cut off is room again, that of files still open at once; where
// `read_only` is set, nothing is written at all, as a kernel does to a file system that it has given up (EROFS); each call takes
// up to `slow` microseconds more; of a thousand forced writes so many fail with EIO, as fsync(2) says; the time of day is `jump`
// seconds off. Only regular files are concerned, and none of the standard streams. What could not be forced is still in the
// file: that a kernel may have lost it is shown by tests beside the code.
//
//   cc -O2 -shared -fPIC -o disk.so disk.c
#define _GNU_SOURCE
// One name for each call, as the C library exports them.
#undef _FILE_OFFSET_BITS
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct page {
  _Atomic uint64_t room;     // octets; all ones: no bound
  _Atomic uint64_t slow;     // microseconds
  _Atomic uint64_t failing;  // of a thousand
  _Atomic int64_t jump;      // seconds
  _Atomic uint64_t dice;     // of the delays and failures
  _Atomic uint64_t in_vain;  // not zero: delays are added up and not waited for
  _Atomic uint64_t waited;   // microseconds of delay so far
  _Atomic uint64_t refused;  // calls that found no room
  _Atomic uint64_t failed;   // forced writes that failed
  _Atomic uint64_t read_only;
};

_Static_assert(sizeof(long) == 8, "offsets go through syscall(2) in one word");
_Static_assert(sizeof(struct statvfs) == sizeof(struct statvfs64), "two names for one thing");

static struct page *page;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("OFFICEOS_DISK");
  long fd = path ? syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void *at = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0);
  if (at != MAP_FAILED) page = at;
  syscall(SYS_close, fd);
}

// SplitMix64 over the page's state.
static uint64_t below(uint64_t bound) {
  uint64_t z = atomic_fetch_add(&page->dice, 0x9e3779b97f4a7c15u) + 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (z ^ (z >> 31)) % bound;
}

static void delay(uint64_t part) {
  uint64_t most = atomic_load(&page->slow) / part;
  if (most == 0) return;
  uint64_t micros = below(most);
  atomic_fetch_add(&page->waited, micros);
  if (atomic_load(&page->in_vain)) return;
  struct timespec span = {.tv_sec = (time_t)(micros / 1000000), .tv_nsec = (long)(micros % 1000000) * 1000};
  syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &span, NULL);
}

// The size of a regular file that is not a standard stream; -1 of anything else.
static int64_t size(int fd) {
  struct stat about;
  if (!page || fd <= 2 || fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) return -1;
  return about.st_size;
}

// Takes up to `wanted` octets of the room; how many there were.
static uint64_t take(uint64_t wanted) {
  uint64_t room = atomic_load(&page->room), taken;
  do {
    if (room == UINT64_MAX) return wanted;
    taken = wanted < room ? wanted : room;
  } while (!atomic_compare_exchange_weak(&page->room, &room, room - taken));
  if (taken < wanted) atomic_fetch_add(&page->refused, 1);
  return taken;
}

// What was taken and is free again.
static void give(uint64_t octets) {
  uint64_t room = atomic_load(&page->room);
  while (room != UINT64_MAX && !atomic_compare_exchange_weak(&page->room, &room, room + octets)) continue;
}

static long refuse(int why) {
  errno = why;
  return -1;
}

static int is_read_only(void) {
  if (!atomic_load(&page->read_only)) return 0;
  atomic_fetch_add(&page->refused, 1);
  return 1;
}

// How much of a write of `len` at `from` may be done; -1 where nothing may.
static int64_t fits(int fd, uint64_t from, uint64_t len) {
  int64_t there = size(fd);
  if (there < 0 || len == 0) return (int64_t)len;
  delay(8);
  if (is_read_only()) return refuse(EROFS);
  uint64_t end = from + len;
  uint64_t grown = end > (uint64_t)there ? end - (from > (uint64_t)there ? from : (uint64_t)there) : 0;
  uint64_t fit = len - grown + (grown ? take(grown) : 0);
  return fit == 0 ? refuse(ENOSPC) : (int64_t)fit;
}

static uint64_t place(int fd) {
  if (size(fd) < 0) return 0;
  int flags = fcntl(fd, F_GETFL);
  off_t at = lseek(fd, 0, flags >= 0 && flags & O_APPEND ? SEEK_END : SEEK_CUR);
  return at < 0 ? 0 : (uint64_t)at;
}

ssize_t write(int fd, const void *octets, size_t len) {
  int64_t fit = fits(fd, place(fd), len);
  return fit < 0 ? fit : syscall(SYS_write, fd, octets, (size_t)fit);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  // A shorter write is always allowed: that of the first part.
  while (count > 0 && parts->iov_len == 0) parts++, count--;
  if (size(fd) >= 0 && count > 0) return write(fd, parts->iov_base, parts->iov_len);
  return syscall(SYS_writev, fd, parts, count);
}

ssize_t pwrite64(int fd, const void *octets, size_t len, off64_t at) {
  int64_t fit = fits(fd, (uint64_t)at, len);
  return fit < 0 ? fit : syscall(SYS_pwrite64, fd, octets, (size_t)fit, at);
}

ssize_t pwrite(int fd, const void *octets, size_t len, off_t at) { return pwrite64(fd, octets, len, at); }

// Whoever copies asks for far more than there is: what the source still has at most.
static uint64_t left(int from, const off64_t *at, size_t len) {
  int64_t there = size(from);
  if (there < 0) return len;
  uint64_t begun = at ? (uint64_t)*at : place(from), rest = (uint64_t)there > begun ? (uint64_t)there - begun : 0;
  return rest < len ? rest : len;
}

ssize_t copy_file_range(int from, off64_t *at, int fd, off64_t *to, size_t len, unsigned int flags) {
  int64_t fit = fits(fd, to ? (uint64_t)*to : place(fd), left(from, at, len));
  return fit < 0 ? fit : syscall(SYS_copy_file_range, from, at, fd, to, (size_t)fit, flags);
}

ssize_t sendfile64(int fd, int from, off64_t *at, size_t len) {
  int64_t fit = fits(fd, place(fd), left(from, at, len));
  return fit < 0 ? fit : syscall(SYS_sendfile, fd, from, at, (size_t)fit);
}

static long grow(int fd, uint64_t end) {
  int64_t there = size(fd);
  if (there < 0 || end <= (uint64_t)there) return 0;
  delay(8);
  if (is_read_only()) return refuse(EROFS);
  uint64_t wanted = end - (uint64_t)there, had = take(wanted);
  if (had == wanted) return 0;
  give(had);
  return refuse(ENOSPC);
}

// A hole takes no room.
int ftruncate64(int fd, off64_t len) {
  int64_t there = size(fd);
  if (there >= 0) {
    delay(8);
    if (is_read_only()) return (int)refuse(EROFS);
  }
  int failed = (int)syscall(SYS_ftruncate, fd, len);
  // Less than that where there were holes; a test's files have none but where a test makes them.
  if (!failed && there > len) give((uint64_t)(there - len));
  return failed;
}

int ftruncate(int fd, off_t len) { return ftruncate64(fd, len); }

int fallocate64(int fd, int mode, off64_t from, off64_t len) {
  int64_t there = size(fd);
  if (grow(fd, (uint64_t)(from + len))) return -1;
  int failed = (int)syscall(SYS_fallocate, fd, mode, from, len);
  if (failed && there >= 0 && from + len > there) give((uint64_t)(from + len - there));
  return failed;
}

int fallocate(int fd, int mode, off_t from, off_t len) { return fallocate64(fd, mode, from, len); }

// Gives the error back instead of leaving it in errno.
int posix_fallocate64(int fd, off64_t from, off64_t len) { return fallocate64(fd, 0, from, len) ? errno : 0; }

int posix_fallocate(int fd, off_t from, off_t len) { return posix_fallocate64(fd, from, len); }

static long force(int fd, long call) {
  if (page) {
    delay(1);
    uint64_t failing = atomic_load(&page->failing);
    if (failing && below(1000) < failing) {
      atomic_fetch_add(&page->failed, 1);
      errno = EIO;
      return -1;
    }
  }
  return syscall(call, fd);
}

int fsync(int fd) { return (int)force(fd, SYS_fsync); }

int fdatasync(int fd) { return (int)force(fd, SYS_fdatasync); }

// A new name takes room in its folder.
static int make(int folder, const char *path, int flags, mode_t mode) {
  int writes = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
  if (page && writes) {
    delay(8);
    struct stat about;
    int there = fstatat(folder, path, &about, 0) == 0;
    if (there ? S_ISREG(about.st_mode) : flags & O_CREAT) {
      int reads = there && (flags & O_ACCMODE) == O_RDONLY && !(flags & O_TRUNC);
      if (!reads && is_read_only()) return (int)refuse(EROFS);
      if (!there && take(1) == 0) return (int)refuse(ENOSPC);
    }
  }
  return (int)syscall(SYS_openat, folder, path, flags, mode);
}

static mode_t mode_of(int flags, va_list more) {
  return flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? va_arg(more, mode_t) : 0;
}

#define WITH_MODE(made)              \
  va_list more;                      \
  va_start(more, flags);             \
  mode_t mode = mode_of(flags, more); \
  va_end(more);                      \
  return made

int open(const char *path, int flags, ...) { WITH_MODE(make(AT_FDCWD, path, flags, mode)); }
int open64(const char *path, int flags, ...) { WITH_MODE(make(AT_FDCWD, path, flags, mode)); }
int openat(int folder, const char *path, int flags, ...) { WITH_MODE(make(folder, path, flags, mode)); }
int openat64(int folder, const char *path, int flags, ...) { WITH_MODE(make(folder, path, flags, mode)); }

int mkdir(const char *path, mode_t mode) {
  struct stat about;
  if (page && lstat(path, &about) != 0 && errno == ENOENT) {
    if (is_read_only()) return (int)refuse(EROFS);
    if (take(1) == 0) return (int)refuse(ENOSPC);
  }
  return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int unlinkat(int folder, const char *path, int flags) {
  if (page && is_read_only()) return (int)refuse(EROFS);
  struct stat about;
  int held = page && fstatat(folder, path, &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(about.st_mode) && about.st_nlink == 1;
  int failed = (int)syscall(SYS_unlinkat, folder, path, flags);
  uint64_t blocks = (uint64_t)about.st_blocks * 512;
  if (!failed && held) give(blocks < (uint64_t)about.st_size ? blocks : (uint64_t)about.st_size);
  return failed;
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }

int rename(const char *from, const char *to) {
  return page && is_read_only() ? (int)refuse(EROFS) : (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
}

// The C library makes this one of another call.
int statvfs64(const char *path, struct statvfs64 *about) {
  int (*real)(const char *, struct statvfs64 *) = (int (*)(const char *, struct statvfs64 *))dlsym(RTLD_NEXT, "statvfs64");
  int failed = real ? real(path, about) : (int)refuse(ENOSYS);
  if (failed || !page || about->f_frsize == 0) return failed;
  uint64_t blocks = atomic_load(&page->room) / about->f_frsize;
  if (blocks < about->f_bavail) about->f_bavail = blocks;
  if (blocks < about->f_bfree) about->f_bfree = blocks;
  return failed;
}

int statvfs(const char *path, struct statvfs *about) { return statvfs64(path, (struct statvfs64 *)about); }

int clock_gettime(clockid_t clock, struct timespec *now) {
  int failed = (int)syscall(SYS_clock_gettime, clock, now);
  if (!failed && page && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    now->tv_sec += (time_t)atomic_load(&page->jump);
  return failed;
}
