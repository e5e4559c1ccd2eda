# The init of every container: runs the records of a plan, one system call each, and knows nothing else.
#
# record.ts holds the contract and the names in capitals (assemble.ts passes them with --defsym). Results, arguments and
# jumps are all in the records. Refuse features here: if it ever needs a loop over data, strings or arithmetic, move that
# work to the runtime, which does it at a barrier.
#
# There is no stack, no libc and no writable text. Code is position-independent, data is not.
# Registers: rbx the record that runs, rbp the status page. A system call keeps all but rax, rcx and r11.

	.text
	.ifndef	INCLUDED
	.globl	_start
_start:
	mov	$DATA_ADDRESS, %ebx
	mov	$STATUS_ADDRESS, %ebp
	.endif

	# Named before it runs: a step may be the last thing we do (SIGSYS, SIGKILL, the OOM killer).
next:
	mov	%rbx, STATUS_RECORD(%rbp)

	# Every argument is loaded through an address, so a saved result needs no instruction of its own.
	mov	RECORD_ARGS+0(%rbx), %rdi
	mov	RECORD_ARGS+8(%rbx), %rsi
	mov	RECORD_ARGS+16(%rbx), %rdx
	mov	RECORD_ARGS+24(%rbx), %r10
	mov	RECORD_ARGS+32(%rbx), %r8
	mov	RECORD_ARGS+40(%rbx), %r9
	mov	(%rdi), %rdi
	mov	(%rsi), %rsi
	mov	(%rdx), %rdx
	mov	(%r10), %r10
	mov	(%r8), %r8
	mov	(%r9), %r9
	mov	RECORD_NR(%rbx), %eax
	syscall

	# Saved always: a record whose result nobody wants points to a slot that nobody reads.
	mov	RECORD_SAVE(%rbx), %rcx
	mov	%rax, (%rcx)

	# An errno is one of the 4095 highest values; an address that mmap(2) returns is below them.
	cmp	$-4095, %rax
	jae	error

	# Zero has a way of its own: it is the child's side of clone(2).
	mov	RECORD_NEXT(%rbx), %ecx
	test	%rax, %rax
	cmovz	RECORD_ZERO(%rbx), %ecx

	# Offsets are unsigned, so no plan can jump back; zero is its end.
advance:
	jrcxz	end
	add	%rcx, %rbx
	jmp	next

	# The list is filled up with zeros, which no errno is.
error:
	neg	%eax
	mov	$MAX_ERRNOS, %ecx
search:
	cmp	%ax, RECORD_ERRNOS-2(%rbx, %rcx, 2)
	je	caught
	dec	%ecx
	jnz	search

	.ifdef	SUPERVISED
	# What a process waits for may have failed already: the first failure is the reason of the others.
	cmpq	$0, STATUS_FAILED(%rbp)
	jne	refuse
	.endif
	# The errno first: a SIGKILL in between leaves no failure without its reason.
	mov	%rax, STATUS_ERRNO(%rbp)
	mov	%rbx, STATUS_FAILED(%rbp)
refuse:
	mov	$1, %edi
	jmp	exit

caught:
	mov	RECORD_CAUGHT(%rbx), %ecx
	jmp	advance

end:
	xor	%edi, %edi
exit:
	mov	$SYS_exit_group, %eax
	syscall
	# A filter of the container's may refuse even this call. Die here, not in whatever follows.
	ud2
