/*
 * peak PROGRAM ARGUMENT...: prints how many kB the largest of its processes had in memory, and exits with its status.
 *
 * From a small program, since what its parent had before exec counts too: setmax_mm_hiwater_rss() in fs/exec.c.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  pid_t pid = argc > 1 ? fork() : -1;
  if (pid == 0) {
    execvp(argv[1], argv + 1);
    _exit(127);
  }
  int status;
  struct rusage usage;
  if (pid < 0 || wait4(pid, &status, 0, &usage) < 0) return 125;
  printf("%ld\n", usage.ru_maxrss);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
