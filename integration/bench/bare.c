/*
 * The kernel's part of a container, and nothing else: what docker-default of tests/golden asks for, by the fewest calls.
 * No error is explained, no link of an image is minded, no signal passed on: a floor to compare with, not a runtime.
 *
 * bare ROOTFS FILTER PROGRAM: FILTER is an array of struct sock_filter.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static glob_t hierarchies;

static void must(long result, const char *what) {
  if (result >= 0) return;
  perror(what);
  _exit(125);
}

static const char *at(const char *directory, const char *file) {
  static char paths[4][512];
  static int next;
  char *path = paths[next++ & 3];
  snprintf(path, 512, "%s/%s", directory, file);
  return path;
}

static void put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (write(fd, text, strlen(text)) < 0) fprintf(stderr, "%s: %s\n", path, strerror(errno));
  close(fd);
}

static const char *group(size_t index) {
  static char paths[32][256];
  snprintf(paths[index], 256, "%.*s/hako-bare", (int)strlen(hierarchies.gl_pathv[index]) - 13, hierarchies.gl_pathv[index]);
  return paths[index];
}

static void make_groups(void) {
  static const char *allowed[] = {"c *:* m", "b *:* m", "c 1:5 rwm", "c 1:3 rwm", "c 1:9 rwm", "c 1:8 rwm", "c 5:0 rwm",
                                  "c 5:1 rwm", "c 1:7 rwm", "c 136:* rwm", "c 5:2 rwm", "c 10:200 rwm"};
  glob("/sys/fs/cgroup/*/cgroup.procs", 0, NULL, &hierarchies);
  for (size_t i = 0; i < hierarchies.gl_pathc; i++) {
    const char *path = group(i);
    must(mkdir(path, 0755), path);
    if (strstr(path, "/cpuset/")) {
      put(at(path, "cpuset.cpus"), "0");
      put(at(path, "cpuset.mems"), "0");
    }
    if (strstr(path, "/devices/")) {
      put(at(path, "devices.deny"), "a");
      int fd = open(at(path, "devices.allow"), O_WRONLY | O_CLOEXEC);
      for (size_t j = 0; j < sizeof allowed / sizeof *allowed; j++) must(write(fd, allowed[j], strlen(allowed[j])), allowed[j]);
      close(fd);
    }
  }
}

static void readonly(const char *path) {
  if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) == 0)
    mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

static void mask(const char *path) {
  struct stat st;
  if (stat(path, &st) < 0) return;
  if (S_ISDIR(st.st_mode)) mount("tmpfs", path, "tmpfs", MS_RDONLY, "nr_blocks=1,nr_inodes=1");
  else mount("/dev/null", path, NULL, MS_BIND, NULL);
}

static void container(const char *rootfs, const struct sock_fprog *filter, char **program) {
  static const struct { const char *path; int major, minor; } devices[] = {
    {"dev/null", 1, 3}, {"dev/zero", 1, 5}, {"dev/full", 1, 7}, {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
  static const char *links[][2] = {{"/proc/self/fd", "dev/fd"}, {"/proc/self/fd/0", "dev/stdin"}, {"/proc/self/fd/1", "dev/stdout"},
                                   {"/proc/self/fd/2", "dev/stderr"}, {"pts/ptmx", "dev/ptmx"}, {"/proc/kcore", "dev/core"}};
  static const char *readonlys[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};
  static const char *masks[] = {"proc/asound", "proc/acpi", "proc/kcore", "proc/keys", "proc/latency_stats", "proc/timer_list",
                                "proc/timer_stats", "proc/sched_debug", "proc/scsi", "sys/firmware"};
  const unsigned long safe = MS_NOSUID | MS_NODEV | MS_NOEXEC;

  for (size_t i = 0; i < hierarchies.gl_pathc; i++) {
    const char *path = group(i);
    put(at(path, strstr(path, "/unified/") ? "cgroup.procs" : "tasks"), "0");
  }
  setsid();
  umask(0);
  must(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "/");
  must(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL), rootfs);
  must(chdir(rootfs), rootfs);
  must(mount("proc", "proc", "proc", safe, NULL), "proc");
  must(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"), "dev");
  mkdir("dev/pts", 0755);
  must(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5"), "dev/pts");
  must(mount("sysfs", "sys", "sysfs", safe | MS_RDONLY, NULL), "sys");
  must(mount("tmpfs", "sys/fs/cgroup", "tmpfs", safe, "mode=755"), "sys/fs/cgroup");
  for (size_t i = 0; i < hierarchies.gl_pathc; i++) {
    const char *target = group(i) + 1;
    char name[256];
    snprintf(name, sizeof name, "%.*s", (int)strlen(target) - 10, target);
    mkdir(name, 0755);
    must(mount(group(i), name, NULL, MS_BIND, NULL), name);
    must(mount(NULL, name, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | safe, NULL), name);
  }
  mount(NULL, "sys/fs/cgroup", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | safe, NULL);
  mkdir("dev/mqueue", 0755);
  must(mount("mqueue", "dev/mqueue", "mqueue", safe, NULL), "mqueue");
  mkdir("dev/shm", 0755);
  must(mount("shm", "dev/shm", "tmpfs", safe, "mode=1777,size=67108864"), "shm");
  for (int i = 0; i < 3; i++) {
    static const char *files[] = {"etc/resolv.conf", "etc/hostname", "etc/hosts"};
    close(open(files[i], O_CREAT | O_WRONLY, 0644));
    must(mount(at("", files[i]), files[i], NULL, MS_BIND | MS_REC, NULL), files[i]);
  }
  for (size_t i = 0; i < 6; i++) mknod(devices[i].path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor));
  for (size_t i = 0; i < 6; i++) if (symlink(links[i][0], links[i][1]) < 0) continue;
  for (size_t i = 0; i < 5; i++) readonly(readonlys[i]);
  for (size_t i = 0; i < 10; i++) mask(masks[i]);
  must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
  must(umount2(".", MNT_DETACH), "umount");
  must(chdir("/"), "/");
  sethostname("bare", 4);
  for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
    if (!(0xa80425fbULL >> cap & 1) || cap > 31) prctl(PR_CAPBSET_DROP, cap);
  must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter), "seccomp");
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct sets[2] = {{0xa80425fb, 0xa80425fb, 0}, {0, 0, 0}};
  must(syscall(SYS_capset, &header, sets), "capset");
  execv(program[0], program);
  must(-1, program[0]);
}

int main(int argc, char **argv) {
  static struct sock_filter code[4096];
  if (argc < 4) return 125;
  int fd = open(argv[2], O_RDONLY | O_CLOEXEC);
  ssize_t bytes = read(fd, code, sizeof code);
  must(bytes, argv[2]);
  struct sock_fprog filter = {(unsigned short)(bytes / sizeof *code), code};
  make_groups();
  struct clone_args args = {
    .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC,
    .exit_signal = SIGCHLD,
  };
  long pid = syscall(SYS_clone3, &args, sizeof args);
  must(pid, "clone3");
  if (pid == 0) container(argv[1], &filter, argv + 3);
  int status;
  waitpid((pid_t)pid, &status, 0);
  for (size_t i = 0; i < hierarchies.gl_pathc; i++) must(rmdir(group(i)), group(i));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
