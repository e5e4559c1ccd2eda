/*
 * install COUNT FILTER...: how many microseconds the kernel takes to load each filter, in turn and COUNT times, in a child
 * of its own each time. A line for each turn. FILTER is an array of struct sock_filter that allows write(2).
 */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static double load(const char *path) {
  static struct sock_filter code[BPF_MAXINSNS];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t bytes = fd < 0 ? -1 : read(fd, code, sizeof code);
  if (bytes <= 0) return perror(path), exit(1), 0;
  close(fd);
  struct sock_fprog program = {(unsigned short)(bytes / sizeof *code), code};
  /* What the child has measured. */
  static double *taken;
  if (!taken) taken = mmap(NULL, sizeof *taken, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    double start = microseconds();
    long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
    *taken = microseconds() - start;
    _exit(result != 0);
  }
  int status;
  if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0) return fprintf(stderr, "%s: not loaded\n", path), exit(1), 0;
  return *taken;
}

int main(int argc, char **argv) {
  for (int turn = argc > 1 ? atoi(argv[1]) : 0; turn > 0; turn--)
    for (int i = 2; i < argc; i++) printf("%.1f%c", load(argv[i]), i == argc - 1 ? '\n' : ' ');
}
