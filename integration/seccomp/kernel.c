/*
 * Installs a filter in a forked child and makes calls there; prints the errno of each, one a line.
 *
 *     kernel FILTER < CALLS     a call is "bits number arg0 ... arg5", in decimal or 0x…; bits: 64, or 32 for i386
 *
 * Every RET of the filter has to be an errno, so that no call is ever executed. A call that was executed nevertheless, or
 * a child that died, is an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 200000

struct call {
  unsigned long bits, number, args[6];
};

/* The way of i386, which a program of 64 bits may take too: of its registers the low halves count. */
static long make32(const struct call *call) {
  long result;
  /* The sixth argument is in the frame pointer. */
  __asm__ volatile("mov %%rbp, %%r12\n\tmov %c[sixth](%[call]), %%rbp\n\tint $0x80\n\tmov %%r12, %%rbp"
                   : "=a"(result)
                   : "a"(call->number), "b"(call->args[0]), "c"(call->args[1]), "d"(call->args[2]), "S"(call->args[3]),
                     "D"(call->args[4]), [call] "r"(call), [sixth] "i"(offsetof(struct call, args[5]))
                   : "r8", "r9", "r10", "r11", "r12", "memory", "cc");
  return (int)result;
}

/* Not syscall(3): the kernel is to see all 64 bits, and a failure is to be told from a result. */
static long make(const struct call *call) {
  if (call->bits == 32) return make32(call);
  long result;
  register long r10 __asm__("r10") = (long)call->args[3];
  register long r8 __asm__("r8") = (long)call->args[4];
  register long r9 __asm__("r9") = (long)call->args[5];
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(call->number), "D"(call->args[0]), "S"(call->args[1]), "d"(call->args[2]), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

int main(int argc, char **argv) {
  static struct sock_filter filter[BPF_MAXINSNS];
  int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
  long bytes = fd < 0 ? -1 : read(fd, filter, sizeof filter);
  if (bytes <= 0) return perror("filter"), 1;

  struct call *calls = malloc(MOST * sizeof *calls);
  /* The child cannot write: its results are shared memory. */
  long *results = mmap(NULL, (MOST + 1) * sizeof *results, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  long count = 0;
  for (struct call *call = calls; count < MOST; count++, call++) {
    unsigned long *a = call->args;
    if (scanf("%li %li %li %li %li %li %li %li", (long *)&call->bits, (long *)&call->number, (long *)a, (long *)a + 1,
              (long *)a + 2, (long *)a + 3, (long *)a + 4, (long *)a + 5) != 8)
      break;
  }

  pid_t child = fork();
  if (child == 0) {
    struct sock_fprog program = {.len = (unsigned short)(bytes / sizeof *filter), .filter = filter};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
      perror("seccomp");
      _exit(1);
    }
    for (long i = 0; i < count; i++) results[i] = make(&calls[i]);
    results[MOST] = count;
    /* No call can end it: a fault does. */
    __builtin_trap();
  }
  int status;
  waitpid(child, &status, 0);
  if (results[MOST] != count) return fprintf(stderr, "the child ended early, with status %d\n", status), 1;
  for (long i = 0; i < count; i++) printf("%ld\n", -results[i]);
  return 0;
}
