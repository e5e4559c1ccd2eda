/*
 * Writes the program that libseccomp makes of a policy as runc would pass it, to compare with ours.
 *
 *     libseccomp BITS < POLICY     BITS: 1 linear, 2 binary tree (SCMP_FLTATR_CTL_OPTIMIZE)
 *
 * The policy is text: "default ACTION", "arch NAME" (x86, x32), "rule ACTION NAME COUNT (ARG OP A B)…"; actions are
 * numbers as libseccomp has them, OP as enum scmp_compare. An unknown name is skipped, as runc does. Ends with 2 if
 * libseccomp refuses a rule.
 */
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>

int main(int argc, char **argv) {
  char word[64], name[64];
  uint32_t action;
  scmp_filter_ctx context = NULL;
  while (scanf("%63s", word) == 1) {
    if (!strcmp(word, "default")) {
      if (scanf("%u", &action) != 1 || !(context = seccomp_init(action))) return 1;
      seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, argc > 1 ? (uint32_t)atoi(argv[1]) : 1);
    } else if (!strcmp(word, "arch")) {
      if (scanf("%63s", name) != 1) return 1;
      int failure = seccomp_arch_add(context, seccomp_arch_resolve_name(name));
      if (failure && failure != -EEXIST) return fprintf(stderr, "arch %s: %d\n", name, failure), 1;
    } else {
      struct scmp_arg_cmp args[6];
      unsigned count;
      if (scanf("%u %63s %u", &action, name, &count) != 3 || count > 6) return 1;
      for (unsigned i = 0; i < count; i++) {
        unsigned arg, op;
        uint64_t a, b;
        if (scanf("%u %u %lu %lu", &arg, &op, &a, &b) != 4) return 1;
        args[i] = (struct scmp_arg_cmp){arg, (enum scmp_compare)op, a, b};
      }
      int number = seccomp_syscall_resolve_name(name);
      if (number == __NR_SCMP_ERROR) continue;
      int failure = seccomp_rule_add_array(context, action, number, count, args);
      if (failure) return 2;
    }
  }
  fflush(stdout);
  return seccomp_export_bpf(context, 1) != 0;
}
