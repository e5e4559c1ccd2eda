# The start of a snapshot: takes its arguments, makes sure of the processor, and leaves the rest to records, which the stub
# runs as those of every container. resume.ts holds the contract and the names in capitals.

	.text
	.globl	_start
_start:
	mov	$RESUME_ADDRESS, %r14d
	mov	$STATUS_ADDRESS, %ebp
	cld

	# The kernel leaves argc, argv, NULL, the environment, NULL on the stack. Where that is, is what the process that was
	# snapshot learns: the result of the call in which it has waited.
	mov	%rsp, HEAD_FRAME+FRAME_RAX(%r14)
	mov	(%rsp), %rcx
	lea	8(%rsp), %rax
	mov	%rax, HEAD_ARGV(%r14)
	lea	16(%rsp,%rcx,8), %rax
	mov	%rax, HEAD_ENVP(%r14)

	# rt_sigreturn finds the frame at the stack pointer, as after the return of a handler. Nothing else here needs a stack.
	lea	HEAD_FRAME(%r14), %rsp

	mov	$ARCH_SET_FS, %edi
	mov	HEAD_TLS(%r14), %rsi
	mov	$SYS_arch_prctl, %eax
	syscall

	lea	HEAD_QUESTIONS(%r14), %rsi
	lea	HEAD_FOUND(%r14), %rdi
	mov	$LEAVES, %r12d
leaf:	mov	(%rsi), %eax
	mov	4(%rsi), %ecx
	cpuid
	and	8(%rsi), %ebx
	mov	%ebx, (%rdi)
	mov	%ecx, 4(%rdi)
	mov	%edx, 8(%rdi)
	add	$QUESTION_BYTES, %rsi
	add	$ANSWER_BYTES, %rdi
	dec	%r12d
	jnz	leaf

	lea	HEAD_EXPECTED(%r14), %rsi
	lea	HEAD_FOUND(%r14), %rdi
	mov	$(LEAVES * ANSWER_BYTES / 4), %ecx
	repe cmpsl
	mov	$DATA_ADDRESS, %ebx
	je	next
	mov	HEAD_OTHERWISE(%r14), %rbx

	.include "stub_x86_64.S"
